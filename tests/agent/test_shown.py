"""How much of its tools a model is shown; it is checked against all of them."""

from __future__ import annotations

import pytest

from tooldrill.agent.engines.base import Generation
from tooldrill.agent.environment import Observation
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate, bundled_template
from tooldrill.agent.run import EpisodeRun, Job
from tooldrill.agent.settings import LoopSettings
from tooldrill.agent.shown import shown_tools
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass

REGISTRY = Registry(
    [
        Tool(
            "book",
            "Book a room.",
            {
                "type": "object",
                "properties": {
                    "room": {"type": "string", "description": "Which."},
                    "hours": {"type": "integer", "default": 1},
                },
                "required": ["room"],
            },
        )
    ]
)


def functions(level):
    return [tool["function"] for tool in shown_tools(REGISTRY, level)]


def test_each_level_shows_less():
    assert functions("typed") == [tool["function"] for tool in REGISTRY.to_openai()]
    (shown,) = functions("signature")
    assert shown["parameters"]["properties"] == {"room": {}, "hours": {"default": 1}}
    assert shown["parameters"]["required"] == ["room"]
    assert not shown.get("description")
    (shown,) = functions("names")
    assert shown["name"] == "book"
    assert shown["parameters"]["properties"] == {}
    assert functions("none") == []


@pytest.mark.parametrize(
    ("level", "line"),
    [
        ("typed", "book(room: string, hours: integer = 1) - Book a room."),
        ("signature", "book(room: any, hours: any = 1)"),
        ("names", "book()"),
    ],
)
def test_the_bundled_template_writes_the_line_of_the_level(level, line):
    template = ChatTemplate(bundled_template())
    tools = shown_tools(REGISTRY, level)
    text = template.render(
        [user("Hello")], tools, get_protocol("native"), add_generation_prompt=True
    )
    assert line in text.splitlines()


def test_calls_are_checked_against_the_whole_tool():
    class Environment:
        def call(self, name, arguments):
            return Observation("booked")

    settings = LoopSettings(signatures="names")
    job = Job("t", [user("Book it.")], REGISTRY, Environment(), 4)
    run = EpisodeRun(job, get_protocol("native"), settings)
    assert run.tools == shown_tools(REGISTRY, "names")
    call = '<tool_call>{"name": "book", "arguments": {"room": "A", "hours": "two"}}</tool_call>'
    step = run.take(Generation(text=call))
    assert [one.kind for one in step.violations] == [ViolationClass.WRONG_TYPE]
