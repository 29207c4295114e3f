"""Every episode as the report's browser shows it: the data, not the drawing.

What a model wrote stays text from here to the screen: `embed` makes it harmless inside a page, and
`templates/report.js` sets it as text, never as markup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tooldrill.agent.episode import Episode, Hint, Message
from tooldrill.agent.signature import SignatureLevel, signature
from tooldrill.agent.tool import Tool
from tooldrill.agent.violation import Violation
from tooldrill.eval.replies import JudgedReply, judged_replies, opening
from tooldrill.eval.results import Results


def episode_views(results: Sequence[Results]) -> list[dict[str, Any]]:
    """All episodes of all models; `model` is the index of the results."""
    return [_view(index, episode) for index, one in enumerate(results) for episode in one.episodes]


def embed(value: Any) -> str:
    """JSON that can stand inside a `<script>` element without ending it or being read as markup."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _view(model: int, episode: Episode) -> dict[str, Any]:
    replies = judged_replies(episode)
    classes = {v.kind.value: None for reply in replies for v in reply.violations}
    return {
        "model": model,
        "task": episode.task,
        "world": episode.world,
        "kind": episode.kind,
        "outcome": episode.outcome.value,
        "success": episode.success,
        "failure": episode.failure,
        "conclusion": episode.conclusion,
        "forced": episode.forced,
        "seconds": round(episode.seconds, 2),
        "classes": list(classes),
        "tools": [
            signature(Tool.from_openai(tool), SignatureLevel.TYPED) for tool in episode.tools
        ],
        "opening": [_message(message) for message in opening(episode)],
        "replies": [_reply(reply) for reply in replies],
    }


def _message(message: Message) -> dict[str, str]:
    """One message before the first reply, its calls written out."""
    parts = [str(message["content"])] if message.get("content") else []
    functions = [call["function"] for call in message.get("tool_calls") or []]
    parts += [
        f"{function['name']} {json.dumps(function['arguments'], ensure_ascii=False)}"
        for function in functions
    ]
    return {"role": str(message["role"]), "text": "\n".join(parts)}


def _reply(reply: JudgedReply) -> dict[str, Any]:
    step = reply.step
    return {
        "raw": step.reply,
        "calls": [
            {
                "name": call.name,
                "arguments": {
                    name: json.dumps(value, ensure_ascii=False)
                    for name, value in call.arguments.items()
                },
            }
            for call in step.calls
        ],
        "conclusion": step.conclusion,
        "violations": [_violation(violation) for violation in reply.violations],
        "observation": step.observation,
        "error": step.error,
        "hint": _hint(step.injected),
        "stop": step.stop,
        "tokens": [step.prompt_tokens, step.cached_tokens, step.reply_tokens],
        "seconds": round(step.seconds, 2),
    }


def _hint(hint: Hint | None) -> dict[str, Any] | None:
    if hint is None:
        return None
    return {"trigger": hint.trigger.value, "text": hint.text, "helped": hint.helped}


def _violation(violation: Violation) -> dict[str, Any]:
    return {
        "class": violation.kind.value,
        "tool": violation.tool,
        "argument": violation.argument,
        "message": violation.message,
    }
