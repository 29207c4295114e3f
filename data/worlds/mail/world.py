"""The `mail` world: a mailbox with folders, labels, drafts, filing rules and an absence notice.

The tools a model is offered. What they work on is in `store`, how a mailbox is drawn in `boxes`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from tooldrill.agent.environment import ToolError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.mail import chains, lookups, restraint, tasks
from tooldrill.data.worlds.mail.store import KEPT_FOLDERS, Mailbox, address_of, iso_day


class MailSession(Mailbox):
    """One mailbox."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "list_messages",
        "search_mail",
        "read_message",
        "send_mail",
        "reply_to",
        "forward_message",
        "save_draft",
        "send_draft",
        "move_message",
        "flag_message",
        "label_message",
        "leave_list",
        "add_rule",
        "set_absence",
    )

    def list_messages(
        self, folder: str = "inbox", unread_only: bool = False, limit: int = 10
    ) -> str:
        """List the messages of a folder, newest first.

        Args:
            folder: Name of the folder; `drafts` and `sent` are folders too.
            unread_only: Leave out what was opened already.
            limit: How many messages to show at most.
        """
        inside = [m for m in self._messages if m["folder"] == self._folder(folder)]
        return self._lines([m for m in inside if "unread" in m["flags"] or not unread_only], limit)

    def search_mail(
        self,
        text: str = "",
        sender: str = "",
        since: str = "",
        until: str = "",
        with_attachment: bool = False,
    ) -> str:
        """Search all folders; every filter that is given must match.

        Fails without any filter.

        Args:
            text: Words of the subject or the body.
            sender: Part of the name or address of who wrote it.
            since: First day, as YYYY-MM-DD.
            until: Last day, as YYYY-MM-DD.
            with_attachment: Only messages that carry files.
        """
        if not any((text.strip(), sender.strip(), since, until, with_attachment)):
            raise ToolError("give at least one of `text`, `sender`, `since`, `until`")
        first = iso_day("since", since) if since else ""
        last = iso_day("until", until) if until else "9999"
        found = [
            m
            for m in self._messages
            if text.strip().casefold() in f"{m['subject']}\n{m['body']}".casefold()
            and sender.strip().casefold() in m["from"].casefold()
            and first <= m["date"] <= last
            and (m["attachments"] or not with_attachment)
        ]
        return self._lines(found, 15)

    def read_message(self, message_id: int, with_quotes: bool = False) -> str:
        """Show one message in full.

        Args:
            message_id: Number of the message.
            with_quotes: Include the older messages quoted below the text.
        """
        m = self._message(message_id)
        kept = [t for t in m["body"].split("\n") if with_quotes or not t.startswith(">")]
        head = [f"From: {m['from']}", f"To: {', '.join(m['to'])}", f"Date: {m['date']}"]
        head += [f"Subject: {m['subject']}"]
        head += [f"Attachments: {', '.join(m['attachments'])}"] if m["attachments"] else []
        return "\n".join([*head, "", *kept]).strip()

    def send_mail(
        self,
        to: list[str],
        subject: str,
        body: str,
        importance: Literal["low", "normal", "high"] = "normal",
    ) -> str:
        """Write a new message and send it at once.

        Fails when an address is not one.

        Args:
            to: Mail addresses of all who get it.
            subject: The subject line.
            body: The text.
            importance: How urgent it is marked.
        """
        # An ordinary mail is the same whether it was a draft before or not.
        marked = {} if importance == "normal" else {"importance": importance}
        number = self._write("sent", to, subject, body, **marked)
        return f"sent as message {number}"

    def reply_to(self, message_id: int, body: str, reply_all: bool = False) -> str:
        """Answer a message; its subject is kept.

        Fails for drafts and for own messages.

        Args:
            message_id: Number of the message answered.
            body: The text of the answer, without the quoted original.
            reply_all: Answer everyone who got it and not only who wrote it.
        """
        m = self._received(message_id)
        author = address_of(m["from"])
        others = [a for a in m["to"] if a not in (author, self._state["me"])] if reply_all else []
        subject = m["subject"] if m["subject"].startswith("Re: ") else f"Re: {m['subject']}"
        self._write("sent", [author, *others], subject, body, answers=message_id)
        return f"answered {', '.join([author, *others])}"

    def forward_message(
        self, message_id: int, to: list[str], comment: str = "", keep_attachments: bool = True
    ) -> str:
        """Send a message on to others.

        Fails for drafts and when an address is not one.

        Args:
            message_id: Number of the message sent on.
            to: Mail addresses of all who get it.
            comment: A text of your own above it.
            keep_attachments: Send its files along.
        """
        m = self._message(message_id)
        if m["folder"] == "drafts":
            raise ToolError(f"message {message_id} is a draft")
        body = f"{comment.strip()}\n{m['body']}".strip()
        files = m["attachments"] if keep_attachments else []
        self._write("sent", to, f"Fwd: {m['subject']}", body, attachments=[*files])
        return f"forwarded {message_id} to {', '.join(to)} with {len(files)} files"

    def save_draft(self, to: list[str], subject: str, body: str) -> str:
        """Write a message and keep it among the drafts; it is not sent.

        Fails when an address is not one.

        Args:
            to: Mail addresses of all who will get it.
            subject: The subject line.
            body: The text.
        """
        return f"draft {self._write('drafts', to, subject, body)} saved"

    def send_draft(self, draft_id: int) -> str:
        """Send a message that lies among the drafts.

        Args:
            draft_id: Number of the draft.
        """
        m = self._message(draft_id)
        if m["folder"] != "drafts":
            raise ToolError(f"message {draft_id} is not a draft")
        m.update(folder="sent", date=self._state["today"])
        return f"draft {draft_id} sent to {', '.join(m['to'])}"

    def move_message(self, message_id: int, folder: str) -> str:
        """Put a message into another folder.

        Fails when there is no such folder or message.

        Args:
            message_id: Number of the message.
            folder: Name of the folder it goes to; `trash` throws it away.
        """
        m, target = self._message(message_id), self._folder(folder)
        for place in KEPT_FOLDERS:
            if place == target or (place == m["folder"] and target != "trash"):
                raise ToolError(f"messages are not moved into or out of {place}")
        if m["folder"] == target:
            raise ToolError(f"message {message_id} is in {target} already")
        before, m["folder"] = m["folder"], target
        return f"message {message_id}: {before} -> {target}"

    def flag_message(
        self, message_id: int, flag: Literal["unread", "starred", "muted"], on: bool = True
    ) -> str:
        """Set a flag of a message, or take it away.

        Args:
            message_id: Number of the message.
            flag: Which of the flags.
            on: False takes the flag away.
        """
        flags = self._message(message_id)["flags"]
        if (flag in flags) != on:
            flags.append(flag) if on else flags.remove(flag)
        return f"message {message_id} is {'' if on else 'not '}{flag}"

    def label_message(self, message_id: int, label: str, remove: bool = False) -> str:
        """Put a label on a message, or take it off.

        Fails when it is not there to be taken off.

        Args:
            message_id: Number of the message.
            label: The label's text.
            remove: Take the label off.
        """
        labels, label = self._message(message_id)["labels"], label.strip()
        if not label:
            raise ToolError("`label` must not be empty")
        if (label in labels) != remove:
            state = "does not have" if remove else "has"
            raise ToolError(f"message {message_id} {state} the label {label}")
        labels.remove(label) if remove else labels.append(label)
        return f"labels of {message_id}: {', '.join(labels) or 'none'}"

    def leave_list(self, list_address: str) -> str:
        """Unsubscribe from a mailing list.

        Fails when the mailbox is not subscribed to it.

        Args:
            list_address: The list's own mail address, not that of who writes in it.
        """
        wanted = list_address.strip().lower()
        if wanted not in self._state["lists"]:
            raise ToolError(f"not subscribed to {wanted}")
        self._state["lists"].remove(wanted)
        return f"no longer subscribed to {wanted}"

    def add_rule(self, sender: str, folder: str, mark_read: bool = False) -> str:
        """File future messages of a sender by themselves.

        Fails when the sender has a rule.

        Args:
            sender: Name or address of who writes them.
            folder: Name of the folder they go to.
            mark_read: Count them as opened at once.
        """
        target, sender = self._folder(folder), sender.strip()
        if target in KEPT_FOLDERS or not sender:
            raise ToolError("a rule needs a `sender` and a folder that mail can come into")
        if any(rule["sender"].casefold() == sender.casefold() for rule in self._state["rules"]):
            raise ToolError(f"there is a rule for {sender} already")
        self._state["rules"].append({"sender": sender, "folder": target, "mark_read": mark_read})
        return f"mail from {sender} goes to {target}"

    def set_absence(
        self, first_day: str, last_day: str, text: str, known_senders_only: bool = False
    ) -> str:
        """Answer incoming mail with a notice while away.

        Fails when the days are past or reversed.

        Args:
            first_day: First day away, as YYYY-MM-DD.
            last_day: Last day away, as YYYY-MM-DD.
            text: What the notice says.
            known_senders_only: Send it only to people who have written before.
        """
        first, last = iso_day("first_day", first_day), iso_day("last_day", last_day)
        if last < first:
            raise ToolError("`last_day` lies before `first_day`")
        if first < self._state["today"]:
            raise ToolError(f"`first_day` is past: today is {self._state['today']}")
        if not text.strip():
            raise ToolError("`text` must not be empty")
        self._state["notice"] = {
            "first_day": first,
            "last_day": last,
            "text": text.strip(),
            "known_senders_only": known_senders_only,
        }
        return f"notice set from {first} to {last}"


class MailWorld(World):
    """One person's mailbox."""

    name = "mail"
    split = Split.TRAIN
    session_type = MailSession
    book = tasks.BOOK + lookups.BOOK + chains.BOOK + restraint.BOOK
