"""The worlds over tables: exact answers, exact errors, and errors that change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tooldrill.data.worlds.catalog import get_world

STATES: dict[str, dict[str, Any]] = {
    "inventory": {
        "items": [
            {
                "sku": "SK-7",
                "name": "oak mop",
                "category": "kitchen",
                "price": 3.5,
                "reorder_level": 9,
            },
            {
                "sku": "SK-8",
                "name": "oak rack",
                "category": "office",
                "price": 4,
                "reorder_level": 0,
            },
        ],
        "locations": [{"code": "A1", "note": "yard"}, {"code": "B2", "note": "attic"}],
        "stock": [{"sku": "SK-7", "location": "A1", "quantity": 5}],
    },
    "tickets": {
        "tickets": [
            {
                "id": 5,
                "title": "Login fails",
                "status": "open",
                "priority": "low",
                "assignee": "Ann",
            },
            {
                "id": 6,
                "title": "Export fails",
                "status": "closed",
                "priority": "low",
                "assignee": "",
            },
        ],
        "labels": [{"ticket": 5, "label": "bug"}],
    },
    "calendar": {
        "events": [
            {"id": 3, "title": "Lunch", "start": "2026-05-01 12:00", "minutes": 60},
            {"id": 4, "title": "Talk", "start": "2026-05-01 13:00", "minutes": 30, "place": "Rome"},
        ],
        "guests": [{"event": 3, "guest": "Bo", "optional": 0}],
    },
    "contacts": {
        "people": [
            {"id": 2, "name": "Jo Day", "mobile": "1", "email": "", "city": "Rome"},
            {"id": 9, "name": "Jo Day", "mobile": "2", "email": "j@d.org"},
        ],
        "members": [{"person": 9, "circle": "choir"}],
    },
}


def call(world: str, tool: str, arguments: dict[str, Any]) -> tuple[str, dict, dict]:
    """The observation's text and the state before and after."""
    session = get_world(world).open(STATES[world])
    before = session.snapshot()
    text = session.call(tool, arguments).text
    after = session.snapshot()
    session.close()
    return text, before, after


@pytest.mark.parametrize(
    ("world", "tool", "arguments", "text"),
    [
        (
            "inventory",
            "find_item",
            {"query": "OAK"},
            "SK-7 oak mop (kitchen, 3.5); SK-8 oak rack (office, 4)",
        ),
        (
            "inventory",
            "find_item",
            {"query": "oak", "category": "office"},
            "SK-8 oak rack (office, 4)",
        ),
        ("inventory", "find_item", {"query": "oak", "limit": 1}, "SK-7 oak mop (kitchen, 3.5)"),
        ("inventory", "stock_level", {"sku": "SK-7"}, "5 in A1; total 5"),
        ("inventory", "stock_level", {"sku": "SK-7", "location": "B2"}, "0 in B2"),
        ("inventory", "low_stock", {}, "SK-7 oak mop: 5"),
        ("inventory", "list_locations", {"order": "note"}, "B2 (attic), A1 (yard)"),
        (
            "tickets",
            "search_tickets",
            {"text": "fails", "status": "closed"},
            "6 Export fails (closed)",
        ),
        ("tickets", "show_ticket", {"ticket_id": 5}, "Login fails, open, low priority, Ann, #bug"),
        ("tickets", "count_tickets", {"assignee": "Ann"}, "1"),
        (
            "calendar",
            "day_agenda",
            {"day": "2026-05-01", "with_guests": True},
            "3 Lunch 2026-05-01 12:00-13:00 with Bo; "
            "4 Talk 2026-05-01 13:00-13:30 at Rome with nobody",
        ),
        ("calendar", "next_free", {"day": "2026-05-01", "not_before": "11:30"}, "2026-05-01 13:30"),
        ("calendar", "next_free", {"day": "2026-05-01", "not_before": "11:00"}, "2026-05-01 11:00"),
        ("calendar", "find_events", {"keyword": "l", "to_day": "2026-04-30"}, "none found"),
        ("contacts", "look_up_person", {"name": "day", "most": 1}, "2 Jo Day"),
        ("contacts", "group_members", {"group": "choir"}, "9 Jo Day"),
        ("contacts", "contact_card", {"contact_id": 2}, "Jo Day, mobile 1, Rome"),
    ],
)
def test_reading(world: str, tool: str, arguments: dict[str, Any], text: str) -> None:
    answer, before, after = call(world, tool, arguments)
    assert answer == text
    assert after == before


@pytest.mark.parametrize(
    ("world", "tool", "arguments", "error"),
    [
        ("inventory", "stock_level", {"sku": "SK-1"}, "no item SK-1"),
        (
            "inventory",
            "receive_stock",
            {"sku": "SK-7", "quantity": 1, "location": "C3"},
            "no location C3",
        ),
        (
            "inventory",
            "receive_stock",
            {"sku": "SK-7", "quantity": 0, "location": "A1"},
            "`quantity` must be at least 1",
        ),
        (
            "inventory",
            "receive_stock",
            {"sku": "SK-7", "quantity": 2**70, "location": "A1"},
            "a number is too large",
        ),
        (
            "inventory",
            "ship_stock",
            {"sku": "SK-7", "quantity": 6, "location": "A1"},
            "only 5 of SK-7 in A1",
        ),
        (
            "inventory",
            "move_stock",
            {"sku": "SK-7", "quantity": 6, "source": "A1", "target": "B2"},
            "only 5 of SK-7 in A1",
        ),
        ("inventory", "open_location", {"code": "A1"}, "there is a location A1 already"),
        ("inventory", "add_item", {"name": "Oak Mop"}, "there is an item of that name: Oak Mop"),
        ("inventory", "set_price", {"sku": "SK-7", "price": -1}, "`price` must not be negative"),
        ("tickets", "set_status", {"ticket_id": 1, "status": "open"}, "no ticket 1"),
        (
            "tickets",
            "add_label",
            {"ticket_id": 5, "label": "bug"},
            "ticket 5 has the label bug already",
        ),
        ("tickets", "remove_label", {"ticket_id": 5, "label": "ui"}, "ticket 5 has no label ui"),
        ("tickets", "link_tickets", {"ticket_id": 5, "other_id": 7}, "no ticket 7"),
        ("tickets", "add_comment", {"ticket_id": 5, "text": " "}, "`text` must not be empty"),
        (
            "calendar",
            "book_event",
            {"title": "X", "start": "2026-05-01 12:30"},
            "busy: Lunch until 13:00",
        ),
        (
            "calendar",
            "book_event",
            {"title": "X", "start": "noon"},
            "not a time (YYYY-MM-DD HH:MM): noon",
        ),
        (
            "calendar",
            "shift_event",
            {"event_id": 4, "new_start": "2026-05-01 12:45"},
            "busy: Lunch until 13:00",
        ),
        (
            "calendar",
            "next_free",
            {"day": "2026-05-01", "not_before": "25:00"},
            "not a time (YYYY-MM-DD HH:MM): 2026-05-01 25:00",
        ),
        ("calendar", "invite_guest", {"event_id": 3, "guest": "Bo"}, "Bo is invited already"),
        ("calendar", "cancel_event", {"event_id": 1}, "no event 1"),
        ("contacts", "join_group", {"contact_id": 2, "group": "band"}, "no group band"),
        ("contacts", "leave_group", {"contact_id": 2, "group": "choir"}, "Jo Day is not in choir"),
        (
            "contacts",
            "change_email",
            {"contact_id": 2, "address": "j.org"},
            "not a mail address: j.org",
        ),
        ("contacts", "merge_contacts", {"keep_id": 2, "drop_id": 3}, "no contact 3"),
    ],
)
def test_errors_change_nothing(
    world: str, tool: str, arguments: dict[str, Any], error: str
) -> None:
    answer, before, after = call(world, tool, arguments)
    assert answer == f"ERROR: {error}"
    assert after == before


def test_a_failure_halfway_is_undone() -> None:
    """move_stock adds after it takes; a number too large for the second must undo the first."""
    session = get_world("inventory").open(STATES["inventory"])
    session.call("receive_stock", {"sku": "SK-7", "quantity": 2**62, "location": "A1"})
    before = session.snapshot()
    session.run("BEGIN")  # type: ignore[attr-defined]
    session.run("UPDATE stock SET quantity = 1")  # type: ignore[attr-defined]
    assert session.call("stock_level", {"sku": "SK-1"}).error
    assert session.snapshot() == before
    session.close()


def test_moving_everything_leaves_no_empty_row() -> None:
    arguments = {"sku": "SK-7", "quantity": 5, "source": "A1", "target": "B2"}
    _, _, after = call("inventory", "move_stock", arguments)
    assert after["stock"] == [{"sku": "SK-7", "location": "B2", "quantity": 5}]


def test_partial_shipping_takes_what_there_is() -> None:
    arguments = {"sku": "SK-7", "quantity": 9, "location": "A1", "allow_partial": True}
    text, _, after = call("inventory", "ship_stock", arguments)
    assert text == "shipped 5; 0 left in A1"
    assert after["stock"] == []


def test_merging_fills_gaps_and_keeps_groups() -> None:
    text, _, after = call("contacts", "merge_contacts", {"keep_id": 2, "drop_id": 9})
    assert text == "2 Jo Day stays"
    (person,) = after["people"]
    assert (person["mobile"], person["email"], person["city"]) == ("1", "j@d.org", "Rome")
    assert after["members"] == [{"person": 2, "circle": "choir"}]


def test_cancelling_an_event_takes_its_guests_along() -> None:
    _, _, after = call("calendar", "cancel_event", {"event_id": 3})
    assert [event["id"] for event in after["events"]] == [4]
    assert after["guests"] == []


def test_the_order_of_writing_does_not_show() -> None:
    rows = STATES["inventory"]["items"]
    world = get_world("inventory")
    sessions = [world.open({"items": order}) for order in (rows, rows[::-1])]
    assert sessions[0].snapshot() == sessions[1].snapshot()
    for session in sessions:
        session.close()
