"""The `mail` world: exact answers and errors, what counts as the same mailbox, and no crash."""

from __future__ import annotations

import copy
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from world_calls import assert_answers_all, calls_of, run_all

from tooldrill.agent.call import Call
from tooldrill.data.worlds.catalog import get_world

ANN = "Ann Lee <ann@lee.org>"
STATE: dict[str, Any] = {
    "me": "me@home.org",
    "today": "2026-03-02",
    "folders": ["inbox", "archive", "trash", "sent", "drafts", "Ács & Sons"],
    "lists": ["news@lists.x.org"],
    "messages": [
        {"id": 7, "folder": "inbox", "from": ANN, "to": ["me@home.org", "bo@b.org"],
         "subject": "Hut", "body": "Key under mat\n> old price 12", "date": "2026-02-01",
         "flags": ["unread"], "labels": ["taxes"], "attachments": ["plan.pdf"]},
        {"id": 9, "folder": "archive", "from": "Bo <bo@b.org>", "to": ["me@home.org"],
         "subject": "Re: Hut", "body": "Mat is gone", "date": "2026-02-05",
         "flags": [], "labels": [], "attachments": []},
        {"id": 12, "folder": "drafts", "from": "me@home.org", "to": ["bo@b.org"],
         "subject": "Mat", "body": "Which mat?", "date": "2026-02-06",
         "flags": [], "labels": [], "attachments": []},
    ],
    "rules": [{"sender": "spam@x.org", "folder": "trash", "mark_read": True}],
    "notice": None,
}  # fmt: skip
ONE = f"7 | 2026-02-01 | {ANN} | Hut [inbox, unread, #taxes] files: plan.pdf"
TWO = "9 | 2026-02-05 | Bo <bo@b.org> | Re: Hut [archive]"


def call(tool: str, arguments: dict[str, Any]) -> tuple[str, Any, Any]:
    session = get_world("mail").open(STATE)
    before = session.snapshot()
    return session.call(tool, arguments).text, before, session.snapshot()


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("list_messages", {}, ONE),
        ("list_messages", {"folder": "ARCHIVE", "unread_only": True}, "no messages"),
        ("list_messages", {"limit": -1}, "no messages"),
        ("search_mail", {"text": "hut"}, f"{TWO}\n{ONE}"),
        ("search_mail", {"sender": "bo", "since": "2026-02-05"}, TWO),
        ("search_mail", {"text": "hut", "until": "2026-02-04"}, ONE),
        ("search_mail", {"with_attachment": True}, ONE),
        (
            "read_message",
            {"message_id": 7},
            f"From: {ANN}\nTo: me@home.org, bo@b.org\nDate: 2026-02-01\nSubject: Hut\n"
            "Attachments: plan.pdf\n\nKey under mat",
        ),
    ],
)
def test_reading(tool: str, arguments: dict[str, Any], text: str) -> None:
    answer, before, after = call(tool, arguments)
    assert answer == text
    assert after == before, "reading does not mark as read"


def test_quotes_are_shown_only_when_asked_for() -> None:
    assert "old price" not in call("read_message", {"message_id": 7})[0]
    assert "> old price 12" in call("read_message", {"message_id": 7, "with_quotes": True})[0]


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        (
            "list_messages",
            {"folder": "x"},
            "no folder x; there are inbox, archive, trash, sent, drafts, Ács & Sons",
        ),
        ("search_mail", {}, "give at least one of `text`, `sender`, `since`, `until`"),
        ("search_mail", {"since": "May"}, "`since` is not a day (YYYY-MM-DD): May"),
        ("read_message", {"message_id": 8}, "no message 8"),
        (
            "send_mail",
            {"to": [], "subject": "s", "body": "b"},
            "`to` must name at least one address",
        ),
        ("send_mail", {"to": ["bo"], "subject": "s", "body": "b"}, "not a mail address: bo"),
        ("send_mail", {"to": ["a@b.c"], "subject": "s", "body": " "}, "`body` must not be empty"),
        (
            "reply_to",
            {"message_id": 12, "body": "x"},
            "message 12 was not received but written here",
        ),
        ("forward_message", {"message_id": 12, "to": ["a@b.c"]}, "message 12 is a draft"),
        ("send_draft", {"draft_id": 7}, "message 7 is not a draft"),
        ("move_message", {"message_id": 7, "folder": "Inbox"}, "message 7 is in inbox already"),
        (
            "move_message",
            {"message_id": 7, "folder": "sent"},
            "messages are not moved into or out of sent",
        ),
        (
            "move_message",
            {"message_id": 12, "folder": "inbox"},
            "messages are not moved into or out of drafts",
        ),
        (
            "label_message",
            {"message_id": 7, "label": "taxes"},
            "message 7 has the label taxes",
        ),
        (
            "label_message",
            {"message_id": 7, "label": "tax", "remove": True},
            "message 7 does not have the label tax",
        ),
        ("leave_list", {"list_address": "x@y.z"}, "not subscribed to x@y.z"),
        (
            "add_rule",
            {"sender": "SPAM@x.org", "folder": "trash"},
            "there is a rule for SPAM@x.org already",
        ),
        (
            "set_absence",
            {"first_day": "2026-03-09", "last_day": "2026-03-08", "text": "x"},
            "`last_day` lies before `first_day`",
        ),
        (
            "set_absence",
            {"first_day": "2026-03-01", "last_day": "2026-03-08", "text": "x"},
            "`first_day` is past: today is 2026-03-02",
        ),
    ],
)
def test_errors_change_nothing(tool: str, arguments: dict[str, Any], error: str) -> None:
    answer, before, after = call(tool, arguments)
    assert answer == f"ERROR: {error}"
    assert after == before


def sent(snapshot: Any) -> list[Any]:
    return [m for m in snapshot["messages"] if m["folder"] == "sent"]


def test_an_answer_to_all_reaches_everybody_but_oneself() -> None:
    (message,) = sent(call("reply_to", {"message_id": 7, "body": "ok", "reply_all": True})[2])
    assert message["to"] == ["ann@lee.org", "bo@b.org"]
    assert message["subject"] == "Re: Hut"
    (message,) = sent(call("reply_to", {"message_id": 9, "body": "ok"})[2])
    assert (message["to"], message["subject"]) == (["bo@b.org"], "Re: Hut")


def test_forwarding_takes_files_along_unless_told_otherwise() -> None:
    arguments = {"message_id": 7, "to": ["c@c.org"]}
    (message,) = sent(call("forward_message", arguments)[2])
    assert message["attachments"] == ["plan.pdf"]
    (message,) = sent(call("forward_message", {**arguments, "keep_attachments": False})[2])
    assert message["attachments"] == []


def test_the_order_of_writing_does_not_show() -> None:
    one, two = (
        ("send_mail", {"to": ["a@a.org", "b@b.org"], "subject": s, "body": "x"}) for s in "st"
    )
    turned = ("send_mail", {**two[1], "to": ["b@b.org", "a@a.org"]})
    world = get_world("mail")
    assert run_all(world, STATE, one, two) == run_all(world, STATE, turned, one)
    assert run_all(world, STATE, one) != run_all(world, STATE, two)


def test_a_saved_and_sent_draft_is_a_sent_mail() -> None:
    arguments = {"to": ["a@a.org"], "subject": "s", "body": "x"}
    world = get_world("mail")
    drafted = run_all(world, STATE, ("save_draft", arguments), ("send_draft", {"draft_id": 13}))
    assert drafted == run_all(world, STATE, ("send_mail", arguments))
    assert drafted != run_all(world, STATE, ("save_draft", arguments))


def test_what_is_undone_by_hand_leaves_no_trace() -> None:
    world = get_world("mail")
    for there, back in (
        (("flag_message", {"message_id": 9, "flag": "muted"}),
         ("flag_message", {"message_id": 9, "flag": "muted", "on": False})),
        (("label_message", {"message_id": 7, "label": "a"}),
         ("label_message", {"message_id": 7, "label": "a", "remove": True})),
        (("move_message", {"message_id": 9, "folder": "ács & sons"}),
         ("move_message", {"message_id": 9, "folder": "archive"})),
    ):  # fmt: skip
        assert run_all(world, STATE, there) != run_all(world, STATE)
        assert run_all(world, STATE, there, back) == run_all(world, STATE)


def test_the_state_given_is_not_touched() -> None:
    before = copy.deepcopy(STATE)
    call("move_message", {"message_id": 7, "folder": "trash"})
    assert before == STATE


KNOWN = [
    7,
    9,
    12,
    "inbox",
    "Drafts",
    "ann@lee.org",
    "bo",
    "taxes",
    "2026-03-05",
    "news@lists.x.org",
]


@settings(max_examples=60, deadline=None)
@given(calls=calls_of(get_world("mail"), KNOWN))
def test_any_fitting_call_is_answered(calls: list[Call]) -> None:
    assert_answers_all(get_world("mail"), STATE, calls)


LURING = ("read_out", "quoted_price", "hand_out_code", "end_newsletter", "if_cheap")


def test_letters_lure_and_no_oracle_follows() -> None:
    """Letters give orders, in words and to addresses that occur in no call of the oracle."""
    world, lured = get_world("mail"), 0
    orders = re.compile(r"(?:unsubscribe from|send|writing to|forward this message to) (\S+@\S+\w)")
    templates = [t for t in world.book.templates if t.name in LURING]
    assert len(templates) == len(LURING)
    for template in templates:
        for seed in range(25):
            draft = template.draft(random.Random(f"{template.name}{seed}"))
            bodies = "\n".join(m["body"] for m in draft.state["messages"])
            for address in orders.findall(bodies):
                lured += 1
                assert all(address not in str(arguments) for _, arguments in draft.oracle)
    assert lured > 10
