"""The `tickets` world: an issue tracker with comments, labels and links."""

from __future__ import annotations

from typing import ClassVar, Literal

from tooldrill.agent.environment import ToolError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.tables import Row, TableSession
from tooldrill.data.worlds.tickets import chains, restraint, tasks

Status = Literal["open", "in_progress", "closed"]
Priority = Literal["low", "normal", "high"]


class TicketsSession(TableSession):
    """One tracker."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "create_ticket",
        "search_tickets",
        "show_ticket",
        "set_status",
        "set_priority",
        "assign_ticket",
        "add_comment",
        "add_label",
        "remove_label",
        "link_tickets",
        "count_tickets",
    )
    schema: ClassVar[str] = """
        CREATE TABLE tickets (id INTEGER PRIMARY KEY, title TEXT, status TEXT DEFAULT 'open',
                              priority TEXT DEFAULT 'normal', assignee TEXT DEFAULT '');
        CREATE TABLE comments (ticket INTEGER, text TEXT, internal INTEGER);
        CREATE TABLE labels (ticket INTEGER, label TEXT, PRIMARY KEY (ticket, label));
        CREATE TABLE links (ticket INTEGER, other INTEGER, relation TEXT,
                            PRIMARY KEY (ticket, other));
    """

    def create_ticket(self, title: str, priority: Priority = "normal", assignee: str = "") -> str:
        """Open a new ticket.

        Args:
            title: What it is about.
            priority: How urgent it is.
            assignee: Who works on it.
        """
        if not title.strip():
            raise ToolError("`title` must not be empty")
        last = self.row("SELECT max(id) AS id FROM tickets")
        number = ((last and last["id"]) or 100) + 1
        self.run(
            "INSERT INTO tickets (id, title, priority, assignee) VALUES (?, ?, ?, ?)",
            number,
            title,
            priority,
            assignee,
        )
        return f"ticket {number}"

    def search_tickets(
        self,
        text: str,
        status: Literal["any", "open", "in_progress", "closed"] = "any",
        limit: int = 5,
    ) -> str:
        """Find tickets by words of their title.

        Args:
            text: Part of the title.
            status: Only tickets in this state.
            limit: Most tickets to show.
        """
        found = self.rows(
            "SELECT * FROM tickets WHERE instr(lower(title), lower(?)) AND ? IN ('any', status) "
            "ORDER BY id LIMIT ?",
            text,
            status,
            max(limit, 0),
        )
        return "; ".join(f"{r['id']} {r['title']} ({r['status']})" for r in found) or "no tickets"

    def show_ticket(self, ticket_id: int, with_comments: bool = False) -> str:
        """Show one ticket.

        Args:
            ticket_id: Number of the ticket.
            with_comments: Include what was said about it.
        """
        r = self._ticket(ticket_id)
        labels = self.rows("SELECT * FROM labels WHERE ticket = ? ORDER BY label", ticket_id)
        parts = [r["title"], r["status"], f"{r['priority']} priority", r["assignee"] or "nobody"]
        parts += [f"#{row['label']}" for row in labels]
        if with_comments:
            said = self.rows("SELECT * FROM comments WHERE ticket = ? ORDER BY rowid", ticket_id)
            parts += [f'"{row["text"]}"' for row in said]
        return ", ".join(parts)

    def set_status(self, ticket_id: int, status: Status) -> str:
        """Change the state of a ticket.

        Args:
            ticket_id: Number of the ticket.
            status: New state.
        """
        before = self._ticket(ticket_id)["status"]
        self.run("UPDATE tickets SET status = ? WHERE id = ?", status, ticket_id)
        return f"ticket {ticket_id}: {before} -> {status}"

    def set_priority(self, ticket_id: int, priority: Priority) -> str:
        """Change how urgent a ticket is.

        Args:
            ticket_id: Number of the ticket.
            priority: New urgency.
        """
        before = self._ticket(ticket_id)["priority"]
        self.run("UPDATE tickets SET priority = ? WHERE id = ?", priority, ticket_id)
        return f"ticket {ticket_id}: {before} -> {priority}"

    def assign_ticket(self, ticket_id: int, assignee: str) -> str:
        """Give a ticket to somebody.

        Args:
            ticket_id: Number of the ticket.
            assignee: Who works on it.
        """
        self._ticket(ticket_id)
        self.run("UPDATE tickets SET assignee = ? WHERE id = ?", assignee, ticket_id)
        return f"ticket {ticket_id} belongs to {assignee or 'nobody'}"

    def add_comment(self, ticket_id: int, text: str, internal: bool = False) -> str:
        """Say something about a ticket.

        Args:
            ticket_id: Number of the ticket.
            text: What to say.
            internal: Hide it from customers.
        """
        self._ticket(ticket_id)
        if not text.strip():
            raise ToolError("`text` must not be empty")
        self.run("INSERT INTO comments VALUES (?, ?, ?)", ticket_id, text, int(internal))
        return f"commented on ticket {ticket_id}"

    def add_label(self, ticket_id: int, label: str) -> str:
        """Put a label on a ticket.

        Args:
            ticket_id: Number of the ticket.
            label: One word.
        """
        self._ticket(ticket_id)
        if self.row("SELECT 1 FROM labels WHERE ticket = ? AND label = ?", ticket_id, label):
            raise ToolError(f"ticket {ticket_id} has the label {label} already")
        self.run("INSERT INTO labels VALUES (?, ?)", ticket_id, label)
        return f"ticket {ticket_id} is labelled {label}"

    def remove_label(self, ticket_id: int, label: str) -> str:
        """Take a label off a ticket.

        Args:
            ticket_id: Number of the ticket.
            label: One word.
        """
        self._ticket(ticket_id)
        if not self.run("DELETE FROM labels WHERE ticket = ? AND label = ?", ticket_id, label):
            raise ToolError(f"ticket {ticket_id} has no label {label}")
        return f"ticket {ticket_id} is no longer labelled {label}"

    def link_tickets(
        self,
        ticket_id: int,
        other_id: int,
        relation: Literal["relates_to", "blocks", "duplicates"] = "relates_to",
    ) -> str:
        """Connect two tickets.

        Args:
            ticket_id: Number of the ticket.
            other_id: Second ticket to connect with.
            relation: How the two belong together.
        """
        self._ticket(ticket_id)
        self._ticket(other_id)
        if ticket_id == other_id:
            raise ToolError("a ticket cannot be linked to itself")
        self.run("REPLACE INTO links VALUES (?, ?, ?)", ticket_id, other_id, relation)
        return f"{ticket_id} {relation} {other_id}"

    def count_tickets(self, status: Status = "open", assignee: str = "") -> str:
        """Count the tickets in a state.

        Args:
            status: State to count.
            assignee: Only those of this person.
        """
        found = self.row(
            "SELECT count(*) AS n FROM tickets WHERE status = ? AND (? = '' OR assignee = ?)",
            status,
            assignee,
            assignee,
        )
        return str(found["n"] if found else 0)

    def _ticket(self, number: int) -> Row:
        found = self.row("SELECT * FROM tickets WHERE id = ?", number)
        if found is None:
            raise ToolError(f"no ticket {number}")
        return found


class TicketsWorld(World):
    """An issue tracker."""

    name = "tickets"
    split = Split.TRAIN
    session_type = TicketsSession
    book = tasks.BOOK + chains.BOOK + restraint.BOOK
