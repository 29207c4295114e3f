"""A server on this machine that speaks as much of the Hugging Face hub's API as sending needs.

Large files come by the LFS protocol (without Xet: HF_HUB_DISABLE_XET=1); what was sent stays, also
without a commit, as on the hub. It can be told to break the line.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

TOKEN = "hf_a_token_of_the_tests"
COMMIT = "c" * 40
_LARGE = (".gguf", ".safetensors")


@dataclass
class Repository:
    """A repository: files by branch and name."""

    private: bool
    branches: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})


@dataclass
class LocalHub:
    """What the server has and was asked.

    Attributes:
        objects: large files by SHA-256.
        puts: sizes of the large files that were sent, in order.
        asked: method and path of every request.
        breaks_at: a part of the path at which the line breaks, without an answer.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    puts: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    breaks_at: str | None = None
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What makes the hub's client come here, one try a request."""
        return {"HF_ENDPOINT": self.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """The server, for the block."""
    hub = LocalHub()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._noted()
        self._answer(404, {"error": "Repository not found"})

    def do_PUT(self) -> None:
        self._noted()
        body = self._body()
        assert self.path.rpartition("/")[2] == hashlib.sha256(body).hexdigest()
        self.hub.objects[hashlib.sha256(body).hexdigest()] = body
        self.hub.puts.append(len(body))
        self._answer(200, {})

    def do_POST(self) -> None:
        self._noted()
        body = self._body()
        if self.hub.breaks_at is not None and self.hub.breaks_at in self.path:
            self.close_connection = True
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid username or password."})
            return
        parts = [unquote(part) for part in self.path.partition("?")[0].split("/")[1:]]
        match parts:
            case ["api", "repos", "create"]:
                self._create(json.loads(body))
            case ["api", "validate-yaml"]:
                self._answer(200, {"errors": [], "warnings": []})
            case ["api", "models", owner, name, "branch", branch]:
                repository = self.hub.repositories[f"{owner}/{name}"]
                repository.branches.setdefault(branch, dict(repository.branches["main"]))
                self._answer(200, {})
            case ["api", "models", _, _, "preupload", _]:
                self._answer(200, {"files": [_mode(file) for file in json.loads(body)["files"]]})
            case [_, _, "info", "lfs", "objects", "batch"]:
                objects = [self._object(wanted) for wanted in json.loads(body)["objects"]]
                self._answer(200, {"transfer": "basic", "objects": objects})
            case ["api", "models", owner, name, "commit", branch]:
                self._commit(f"{owner}/{name}", branch, body)
            case _:
                self._answer(404, {"error": f"no {self.path} here"})

    def _create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}" if wanted.get("organization") else ""
        if name in self.hub.repositories:
            told = {"error": "You already created this model repo"}
            self._answer(409, {**told, "url": f"{self.hub.url}/{name}"})
            return
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.hub.repositories[name] = Repository(private)
        self._answer(200, {"url": f"{self.hub.url}/{name}"})

    def _object(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted["oid"] in self.hub.objects:
            return wanted
        upload = {"href": f"{self.hub.url}/objects/{wanted['oid']}", "header": {}}
        return {**wanted, "actions": {"upload": upload}}

    def _commit(self, name: str, branch: str, body: bytes) -> None:
        files = self.hub.repositories[name].branches[branch]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        url = f"{self.hub.url}/{name}/commit/{COMMIT}"
        self._answer(200, {"commitOid": COMMIT, "commitUrl": url})

    def _noted(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _mode(file: dict[str, Any]) -> dict[str, Any]:
    mode = "lfs" if file["path"].endswith(_LARGE) else "regular"
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}
