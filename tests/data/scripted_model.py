"""A model by rule: it knows each task's oracle and errs only where it is told to.

Run as a program, it is an OpenAI-compatible server in a process of its own:
`python scripted_model.py SCRIPT.json` prints its port. The script maps a request to
`{"opening", "calls", "answer", "fault"}`.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

Message = dict[str, Any]


def failed(message: Message) -> bool:
    return str(message["content"]).startswith("ERROR")


def reply(script: dict[str, Any], messages: list[Message]) -> dict[str, Any]:
    """The next message: `{"content"}` or `{"call": {"name", "arguments"}}`."""
    after = messages[script["opening"] :]
    answers = [m for m in after if m["role"] == "tool"]
    replies = sum(m["role"] == "assistant" for m in after)
    done = sum(not failed(m) for m in answers)
    fault = script["fault"] if replies == script.get("at", 0) else None
    due = script["calls"][done] if done < len(script["calls"]) else None
    if fault == "conclude":
        return {"content": "Done: all of it."}
    if fault == "guess":
        return {"content": script["answer"]}
    if fault == "malformed":
        return {"content": '<tool_call>{"name": '}
    if fault == "needless":
        return {"call": {"name": script["tool"], "arguments": {}}}
    if due is None:
        return {"content": script["answer"]}
    if fault == "invent":
        return {"call": {**due, "arguments": {**due["arguments"], "zz_no_such": 1}}}
    return {"call": due}


def reworded(prompt: str, fault: str | None) -> str:
    """The request in other words, or what a poor teacher makes of it."""
    if fault == "lose":
        return "Please do what I asked for yesterday."
    if fault == "same":
        return prompt
    if fault == "empty":
        return "<think>hmm, they want"
    return f'"Sorry to bother, but here it goes. {prompt} Much obliged."'


class Server(BaseHTTPRequestHandler):
    """Answers chat completions; what was asked is appended to `asked` as one line a request."""

    scripts: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[Path | None] = None

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({"data": [{"id": "teacher-35b"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = body["messages"]
        prompt = next(m["content"] for m in messages if m["role"] == "user")
        script = self.scripts[prompt]
        if self.asked is not None:
            with self.asked.open("a") as file:
                file.write(json.dumps(prompt) + "\n")
        if script["fault"] == "broken":
            self.send_error(400)
            return
        if messages[0]["role"] == "system" and "tools" not in body:
            self._choose({"content": reworded(prompt, script["fault"])})
            return
        found = reply(script, messages)
        if script["fault"] == "think":
            found["thought"] = "<think>\nWhat now?\n</think>\n"
        if "call" not in found:
            self._choose({"content": found.get("thought", "") + found["content"]})
            return
        call = found["call"]
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
        thought = found.get("thought")
        self._choose({"content": thought, "tool_calls": [{"id": "1", "function": function}]})

    def _choose(self, message: dict[str, Any]) -> None:
        self._answer({"choices": [{"message": message, "finish_reason": "stop"}]})

    def _answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    path = Path(sys.argv[1])
    Server.scripts = json.loads(path.read_text())
    Server.asked = path.with_suffix(".asked")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
