"""The `calendar` world (held out): one person's appointments, guests and reminders."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import ClassVar

from tooldrill.agent.environment import ToolError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.calendar import restraint, tasks
from tooldrill.data.worlds.tables import Row, TableSession

TIME_FORMAT = "%Y-%m-%d %H:%M"


class CalendarSession(TableSession):
    """One calendar."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "book_event",
        "shift_event",
        "cancel_event",
        "day_agenda",
        "find_events",
        "next_free",
        "invite_guest",
        "uninvite_guest",
        "rename_event",
        "remind_me",
    )
    schema: ClassVar[str] = """
        CREATE TABLE events (id INTEGER PRIMARY KEY, title TEXT, start TEXT, minutes INTEGER,
                             place TEXT DEFAULT '', reminder INTEGER DEFAULT 0);
        CREATE TABLE guests (event INTEGER, guest TEXT, optional INTEGER,
                             PRIMARY KEY (event, guest));
    """

    def book_event(self, title: str, start: str, minutes: int = 60, place: str = "") -> str:
        """Put an event into the calendar (times: YYYY-MM-DD HH:MM).

        Args:
            title: What it is called.
            start: When it begins, as YYYY-MM-DD HH:MM.
            minutes: How long it lasts.
            place: Where it happens.
        """
        begin = _time(start)
        self._need_free(begin, minutes, but=0)
        last = self.row("SELECT max(id) AS id FROM events")
        number = ((last and last["id"]) or 0) + 1
        self.run(
            "INSERT INTO events (id, title, start, minutes, place) VALUES (?, ?, ?, ?, ?)",
            number,
            title,
            begin.strftime(TIME_FORMAT),
            minutes,
            place,
        )
        return f"event {number}: {title}, {_span(begin, minutes)}"

    def shift_event(self, event_id: int, new_start: str) -> str:
        """Move an event to another time (YYYY-MM-DD HH:MM).

        Args:
            event_id: Number of the event.
            new_start: When it begins instead, as YYYY-MM-DD HH:MM.
        """
        event, begin = self._event(event_id), _time(new_start)
        self._need_free(begin, event["minutes"], but=event_id)
        self.run("UPDATE events SET start = ? WHERE id = ?", begin.strftime(TIME_FORMAT), event_id)
        return f"event {event_id}: {_span(begin, event['minutes'])}"

    def cancel_event(self, event_id: int) -> str:
        """Remove an event from the calendar.

        Args:
            event_id: Number of the event.
        """
        title = self._event(event_id)["title"]
        self.run("DELETE FROM guests WHERE event = ?", event_id)
        self.run("DELETE FROM events WHERE id = ?", event_id)
        return f"cancelled {title}"

    def day_agenda(self, day: str, with_guests: bool = False) -> str:
        """List the events of a day (YYYY-MM-DD).

        Args:
            day: The day, as YYYY-MM-DD.
            with_guests: Include who is invited.
        """
        found = self._on(_day(day))
        return "; ".join(self._line(r, with_guests) for r in found) or "nothing"

    def find_events(self, keyword: str, from_day: str = "", to_day: str = "") -> str:
        """Find events by words of their title.

        Args:
            keyword: Part of the title.
            from_day: First day to search.
            to_day: Last day to search.
        """
        first = _day(from_day).isoformat() if from_day else ""
        last = _day(to_day).isoformat() if to_day else "9999"
        found = self.rows(
            "SELECT * FROM events WHERE instr(lower(title), lower(?)) "
            "AND substr(start, 1, 10) BETWEEN ? AND ? ORDER BY start",
            keyword,
            first,
            last,
        )
        return "; ".join(f"{r['id']} {r['title']}, {r['start']}" for r in found) or "none found"

    def next_free(self, day: str, minutes: int = 60, not_before: str = "08:00") -> str:
        """Find the first free time of a day (YYYY-MM-DD).

        Args:
            day: The day, as YYYY-MM-DD.
            minutes: How long it has to be.
            not_before: Earliest time, as HH:MM.
        """
        begin = _time(f"{_day(day)} {not_before}")
        for event in self._on(begin.date()):
            busy = _time(event["start"])
            if busy < begin + timedelta(minutes=minutes) and begin < _end(event):
                begin = _end(event)
        if begin.date() != _day(day):
            raise ToolError(f"no free time left on {day}")
        return begin.strftime(TIME_FORMAT)

    def invite_guest(self, event_id: int, guest: str, optional: bool = False) -> str:
        """Invite somebody to an event.

        Args:
            event_id: Number of the event.
            guest: Who is invited.
            optional: They need not come.
        """
        title = self._event(event_id)["title"]
        if self.row("SELECT 1 FROM guests WHERE event = ? AND guest = ?", event_id, guest):
            raise ToolError(f"{guest} is invited already")
        self.run("INSERT INTO guests VALUES (?, ?, ?)", event_id, guest, int(optional))
        return f"{guest} is invited to {title}"

    def uninvite_guest(self, event_id: int, guest: str) -> str:
        """Take back an invitation.

        Args:
            event_id: Number of the event.
            guest: Who is no longer invited.
        """
        title = self._event(event_id)["title"]
        if not self.run("DELETE FROM guests WHERE event = ? AND guest = ?", event_id, guest):
            raise ToolError(f"{guest} is not invited to {title}")
        return f"{guest} is no longer invited to {title}"

    def rename_event(self, event_id: int, new_title: str) -> str:
        """Give an event another title.

        Args:
            event_id: Number of the event.
            new_title: What it is called from now on.
        """
        before = self._event(event_id)["title"]
        self.run("UPDATE events SET title = ? WHERE id = ?", new_title, event_id)
        return f"{before} -> {new_title}"

    def remind_me(self, event_id: int, minutes_before: int = 15) -> str:
        """Set the reminder of an event.

        Args:
            event_id: Number of the event.
            minutes_before: How long ahead.
        """
        title = self._event(event_id)["title"]
        if minutes_before <= 0:
            raise ToolError("`minutes_before` must be at least 1")
        self.run("UPDATE events SET reminder = ? WHERE id = ?", minutes_before, event_id)
        return f"reminder {minutes_before} minutes before {title}"

    def _event(self, number: int) -> Row:
        found = self.row("SELECT * FROM events WHERE id = ?", number)
        if found is None:
            raise ToolError(f"no event {number}")
        return found

    def _on(self, day: date) -> list[Row]:
        return self.rows(
            "SELECT * FROM events WHERE substr(start, 1, 10) = ? ORDER BY start", day.isoformat()
        )

    def _need_free(self, begin: datetime, minutes: int, but: int) -> None:
        if not 0 < minutes <= 24 * 60:
            raise ToolError("`minutes` must be between 1 and 1440")
        for event in self._on(begin.date()):
            overlaps = _time(event["start"]) < begin + timedelta(minutes=minutes)
            if event["id"] != but and overlaps and begin < _end(event):
                raise ToolError(f"busy: {event['title']} until {_end(event):%H:%M}")

    def _line(self, event: Row, with_guests: bool) -> str:
        text = f"{event['id']} {event['title']} {_span(_time(event['start']), event['minutes'])}"
        text += f" at {event['place']}" if event["place"] else ""
        if not with_guests:
            return text
        guests = self.rows("SELECT * FROM guests WHERE event = ? ORDER BY guest", event["id"])
        return f"{text} with {', '.join(r['guest'] for r in guests) or 'nobody'}"


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text.strip().replace("T", " ")[:16], TIME_FORMAT)
    except ValueError:
        raise ToolError(f"not a time (YYYY-MM-DD HH:MM): {text}") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ToolError(f"not a day (YYYY-MM-DD): {text}") from None


def _end(event: Row) -> datetime:
    return _time(event["start"]) + timedelta(minutes=event["minutes"])


def _span(begin: datetime, minutes: int) -> str:
    return f"{begin:{TIME_FORMAT}}-{begin + timedelta(minutes=minutes):%H:%M}"


class CalendarWorld(World):
    """One person's calendar."""

    name = "calendar"
    split = Split.HELDOUT
    session_type = CalendarSession
    book = tasks.BOOK + restraint.BOOK
