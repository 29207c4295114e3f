"""One mailbox as plain state: what the tools of the `mail` world read and write.

No tool is defined here. Nothing is ever sent: what is written lies in `sent` or `drafts`.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from tooldrill.agent.environment import ToolError
from tooldrill.data.worlds.base import Session, own_copy

Message = dict[str, Any]

# Whatever is written ends up here by itself, so nothing is moved in or out by hand.
KEPT_FOLDERS = ("sent", "drafts")


class Mailbox(Session):
    """The state of a mailbox, and finding and writing messages in it.

    State: `me` and `today` (text), `folders` and `lists` (lists of text), `messages` and `rules`
    (lists of objects), `notice` (an object, or None).
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self._state: dict[str, Any] = own_copy(state)
        self._messages: list[Message] = self._state["messages"]
        self._first_new = self._next_id()

    def snapshot(self) -> dict[str, Any]:
        """Everything, lists sorted; what was written here goes without its number.

        Two mails written in another order are the same mails, though their numbers differ.
        """
        messages = [
            {
                **message,
                "id": message["id"] if message["id"] < self._first_new else None,
                "flags": sorted(message["flags"]),
                "labels": sorted(message["labels"]),
                "to": sorted(message["to"]),
            }
            for message in self._messages
        ]
        state = {
            **self._state,
            "messages": sorted(messages, key=_sort_key),
            "lists": sorted(self._state["lists"]),
            "rules": sorted(self._state["rules"], key=_sort_key),
        }
        return own_copy(state)

    def _next_id(self) -> int:
        return max((m["id"] for m in self._messages), default=0) + 1

    def _message(self, number: int) -> Message:
        for message in self._messages:
            if message["id"] == number:
                return message
        raise ToolError(f"no message {number}")

    def _received(self, number: int) -> Message:
        message = self._message(number)
        if message["folder"] in KEPT_FOLDERS:
            raise ToolError(f"message {number} was not received but written here")
        return message

    def _folder(self, name: str) -> str:
        """The folder as it is spelled, whatever the case it was asked for in."""
        folders: list[str] = self._state["folders"]
        for folder in folders:
            if folder.casefold() == name.strip().casefold():
                return folder
        raise ToolError(f"no folder {name}; there are {', '.join(folders)}")

    def _write(self, folder: str, to: list[str], subject: str, body: str, **more: Any) -> int:
        receivers = list(dict.fromkeys(address.strip() for address in to))
        if not receivers:
            raise ToolError("`to` must name at least one address")
        for address in receivers:
            name, at, host = address.partition("@")
            if not (name and at and "." in host) or " " in address:
                raise ToolError(f"not a mail address: {address}")
        if not body.strip():
            raise ToolError("`body` must not be empty")
        number = self._next_id()
        message = {"id": number, "folder": folder, "from": self._state["me"], "to": receivers}
        message |= {"subject": subject.strip(), "body": body.strip()}
        message |= {"date": self._state["today"], "flags": [], "labels": [], "attachments": []}
        self._messages.append(message | more)
        return number

    def _lines(self, messages: list[Message], limit: int) -> str:
        newest = sorted(messages, key=lambda m: (m["date"], m["id"]), reverse=True)
        return "\n".join(map(_line, newest[: max(limit, 0)])) or "no messages"


def _line(m: Message) -> str:
    marks = [m["folder"], *m["flags"], *(f"#{label}" for label in m["labels"])]
    files = f" files: {', '.join(m['attachments'])}" if m["attachments"] else ""
    return f"{m['id']} | {m['date']} | {m['from']} | {m['subject']} [{', '.join(marks)}]{files}"


def address_of(author: str) -> str:
    """The address in `Ann Lee <ann@lee.org>`."""
    return author.rpartition("<")[2].rstrip(">")


def iso_day(parameter: str, text: str) -> str:
    """The day as YYYY-MM-DD; a `ToolError` naming the parameter when it is none."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ToolError(f"`{parameter}` is not a day (YYYY-MM-DD): {text}") from None


def _sort_key(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
