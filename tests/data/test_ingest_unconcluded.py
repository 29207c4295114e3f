"""Episodes that did not come to an end of the model's own are named for what they are, and teach
nothing: neither their conclusion nor the calls before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.episode import CallRecord, Episode, Outcome, Step
from tooldrill.agent.messages import call_message, conclusion_message, observation_message, user
from tooldrill.agent.tool import Tool
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.episodes import from_episode
from tooldrill.data.ingest.run import ingest

ORDER = Tool(
    "order_tea",
    "Orders tea.",
    {"type": "object", "properties": {"sort": {"type": "string"}}, "required": ["sort"]},
)
CALL = Call("order_tea", {"sort": "green"})
ACTED = Step(
    reply="<tool_call>", calls=[CallRecord(name=CALL.name, arguments=CALL.arguments)],
    observation="ordered",
)  # fmt: skip
ENDED = Step(reply="Ordered.", conclusion="Ordered.")


def episode(**ending: Any) -> Episode:
    """One right call, then a conclusion; `ending` says how it came to it."""
    messages = [
        user("Green tea, please."),
        call_message(CALL),
        observation_message("order_tea", "ordered"),
        conclusion_message("Ordered."),
    ]
    values = {"messages": messages, "outcome": Outcome.CONCLUDED, "conclusion": "Ordered."}
    return Episode.model_validate(
        {"task": "agent", "tools": [ORDER.to_openai()], "steps": [ACTED, ENDED], **values, **ending}
    )


NO_END = {"steps": [ACTED], "messages": episode().messages[:3], "conclusion": None}
UNCONCLUDED: dict[str, tuple[dict[str, Any], str]] = {
    "no_conclusion": (
        {**NO_END, "outcome": "no_conclusion", "spent": "steps"},
        "agent, after 1 replies: the steps ran out",
    ),
    "interrupted": (
        {**NO_END, "outcome": "interrupted", "failure": "KeyboardInterrupt"},
        "agent, after 1 replies",
    ),
    "engine_failure": (
        {**NO_END, "outcome": "failed", "failure": "the context is full"},
        "agent, after 1 replies: the context is full",
    ),
    "forced_conclusion": (
        {"forced": True, "spent": "tokens"},
        "agent, after 2 replies: the tokens had run out",
    ),
}


@pytest.mark.parametrize("reason", UNCONCLUDED)
def test_each_is_refused_by_its_name(reason: str) -> None:
    ending, detail = UNCONCLUDED[reason]
    with pytest.raises(DroppedError) as caught:
        from_episode(episode(**ending))
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


def test_one_that_ended_by_itself_beside_them_is_kept(tmp_path: Path) -> None:
    endings = [{}, *(ending for ending, _ in UNCONCLUDED.values())]
    for number, ending in enumerate(endings):
        text = episode(**ending).model_dump_json(by_alias=True, indent=1)
        (tmp_path / f"{number}.json").write_text(text)
    report = ingest([str(tmp_path)], tmp_path / "out")
    assert report.kept == 1
    assert {reason: entry.count for reason, entry in report.dropped.items()} == dict.fromkeys(
        UNCONCLUDED, 1
    )
