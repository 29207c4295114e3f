"""The `contacts` world (held out): an address book with groups and notes."""

from __future__ import annotations

from typing import ClassVar, Literal

from tooldrill.agent.environment import ToolError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.contacts import restraint, tasks
from tooldrill.data.worlds.tables import Row, TableSession


class ContactsSession(TableSession):
    """One address book."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "new_contact",
        "look_up_person",
        "contact_card",
        "change_phone",
        "change_email",
        "join_group",
        "leave_group",
        "group_members",
        "keep_note",
        "delete_contact",
        "merge_contacts",
    )
    schema: ClassVar[str] = """
        CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mobile TEXT DEFAULT '',
                             home TEXT DEFAULT '', work TEXT DEFAULT '', email TEXT DEFAULT '',
                             city TEXT DEFAULT '', note TEXT DEFAULT '');
        CREATE TABLE members (person INTEGER, circle TEXT, PRIMARY KEY (person, circle));
    """

    def new_contact(self, full_name: str, phone: str = "", email: str = "", city: str = "") -> str:
        """Add a person to the address book.

        Args:
            full_name: First and last name.
            phone: Mobile number.
            email: Mail address.
            city: Town they live in.
        """
        if not full_name.strip():
            raise ToolError("`full_name` must not be empty")
        last = self.row("SELECT max(id) AS id FROM people")
        number = ((last and last["id"]) or 0) + 1
        self.run(
            "INSERT INTO people (id, name, mobile, email, city) VALUES (?, ?, ?, ?, ?)",
            number,
            full_name,
            phone,
            email,
            city,
        )
        return f"contact {number} {full_name}"

    def look_up_person(self, name: str, most: int = 3) -> str:
        """Find people by part of their name.

        Args:
            name: Part of the name.
            most: How many to show.
        """
        found = self.rows(
            "SELECT * FROM people WHERE instr(lower(name), lower(?)) ORDER BY id LIMIT ?",
            name,
            max(most, 0),
        )
        return "; ".join(f"{r['id']} {r['name']}" for r in found) or "nobody"

    def contact_card(self, contact_id: int, with_note: bool = False) -> str:
        """Show what is known about a person.

        Args:
            contact_id: Number of the person.
            with_note: Include the note.
        """
        r = self._person(contact_id)
        phones = [f"{kind} {r[kind]}" for kind in ("mobile", "home", "work") if r[kind]]
        parts = [r["name"], *phones, r["email"], r["city"], r["note"] if with_note else ""]
        return ", ".join(part for part in parts if part)

    def change_phone(
        self, contact_id: int, number: str, kind: Literal["mobile", "home", "work"] = "mobile"
    ) -> str:
        """Change a phone number of a person.

        Args:
            contact_id: Number of the person.
            number: New phone number.
            kind: Which of the phones.
        """
        name = self._person(contact_id)["name"]
        if not any(ch.isdigit() for ch in number):
            raise ToolError(f"not a phone number: {number}")
        self.run(f"UPDATE people SET {kind} = ? WHERE id = ?", number, contact_id)
        return f"{name}: {kind} {number}"

    def change_email(self, contact_id: int, address: str) -> str:
        """Change the mail address of a person.

        Args:
            contact_id: Number of the person.
            address: New mail address.
        """
        name = self._person(contact_id)["name"]
        if "@" not in address:
            raise ToolError(f"not a mail address: {address}")
        self.run("UPDATE people SET email = ? WHERE id = ?", address, contact_id)
        return f"{name}: {address}"

    def join_group(self, contact_id: int, group: str, create: bool = False) -> str:
        """Put a person into a group.

        Args:
            contact_id: Number of the person.
            group: Name of the group.
            create: Start the group if there is none.
        """
        name = self._person(contact_id)["name"]
        if not create:
            self._group(group)
        self.run("INSERT OR IGNORE INTO members VALUES (?, ?)", contact_id, group)
        return f"{name} is in {group}"

    def leave_group(self, contact_id: int, group: str) -> str:
        """Take a person out of a group.

        Args:
            contact_id: Number of the person.
            group: Name of the group.
        """
        name = self._person(contact_id)["name"]
        self._group(group)
        if not self.run("DELETE FROM members WHERE person = ? AND circle = ?", contact_id, group):
            raise ToolError(f"{name} is not in {group}")
        return f"{name} left {group}"

    def group_members(self, group: str, most: int = 20) -> str:
        """List the people of a group.

        Args:
            group: Name of the group.
            most: How many to show.
        """
        self._group(group)
        found = self.rows(
            "SELECT p.* FROM people p JOIN members m ON m.person = p.id WHERE m.circle = ? "
            "ORDER BY p.id LIMIT ?",
            group,
            max(most, 0),
        )
        return "; ".join(f"{r['id']} {r['name']}" for r in found)

    def keep_note(self, contact_id: int, note: str, keep_old: bool = False) -> str:
        """Write a note about a person.

        Args:
            contact_id: Number of the person.
            note: What to remember.
            keep_old: Write behind the old note instead of over it.
        """
        person = self._person(contact_id)
        text = f"{person['note']}; {note}" if keep_old and person["note"] else note
        self.run("UPDATE people SET note = ? WHERE id = ?", text, contact_id)
        return f"noted about {person['name']}"

    def delete_contact(self, contact_id: int) -> str:
        """Remove a person from the address book.

        Args:
            contact_id: Number of the person.
        """
        name = self._person(contact_id)["name"]
        self.run("DELETE FROM members WHERE person = ?", contact_id)
        self.run("DELETE FROM people WHERE id = ?", contact_id)
        return f"{name} is gone"

    def merge_contacts(self, keep_id: int, drop_id: int) -> str:
        """Make one entry of two that mean the same person.

        Args:
            keep_id: Number of the entry that stays.
            drop_id: Number of the entry that goes; only fills gaps.
        """
        keep, drop = self._person(keep_id), self._person(drop_id)
        if keep_id == drop_id:
            raise ToolError("an entry cannot be merged with itself")
        for field in ("mobile", "home", "work", "email", "city", "note"):
            if not keep[field]:
                self.run(f"UPDATE people SET {field} = ? WHERE id = ?", drop[field], keep_id)
        self.run("UPDATE OR IGNORE members SET person = ? WHERE person = ?", keep_id, drop_id)
        self.delete_contact(drop_id)
        return f"{keep_id} {keep['name']} stays"

    def _person(self, number: int) -> Row:
        found = self.row("SELECT * FROM people WHERE id = ?", number)
        if found is None:
            raise ToolError(f"no contact {number}")
        return found

    def _group(self, group: str) -> None:
        if not self.row("SELECT 1 FROM members WHERE circle = ?", group):
            raise ToolError(f"no group {group}")


class ContactsWorld(World):
    """An address book."""

    name = "contacts"
    split = Split.HELDOUT
    session_type = ContactsSession
    book = tasks.BOOK + restraint.BOOK
