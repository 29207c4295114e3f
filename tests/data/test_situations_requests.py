"""Situations of the request: a value is missing, or what is asked for is done already."""

from __future__ import annotations

import random
import re

from staged_tasks import Staged, last_call, solved

from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.data.situations.catalog import put_into
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import concludes, offered, open_task, says
from tooldrill.data.tasks.task import Ending, Task, TaskKind


def test_a_missing_value_is_said_nowhere_and_asked_for(staged: Staged) -> None:
    for task, made in staged["missing_value"]:
        assert made.kind is TaskKind.RESTRAIN
        assert made.ending is Ending.ASK
        assert made.prompt != task.prompt
        first = task.calls[0]
        tool = offered(task)[first.name]
        needed = {p.name: first.arguments[p.name] for p in tool.parameters if p.required}
        gone = [
            name
            for name, value in needed.items()
            if tells(task, task.prompt, value) and not tells(task, made.prompt, value)
        ]
        assert gone
        assert any(name in made.answer for name in gone)
        name = next(name for name in gone if name in made.answer_mentions)
        assert concludes(made, f"Which {name} shall it be?")
        assert concludes(made, f"Please tell me the {name}.")
        assert not concludes(made, f"Done: {name} is set. Anything else?")
        assert not concludes(made, f"The {name} was saved.")
        assert not concludes(made, "How is the weather?")
        assert not solved(made, task.calls, made.answer) or not changes(task)


def tells(task: Task, prompt: str, value: object) -> bool:
    """Whether the prompt has the value, or the words in which the task's own prompt says it."""
    sayings = [text for text in task.said.values() if reads_as(text, value)]
    return says(prompt, [str(value)]) or any(text in prompt for text in sayings)


def reads_as(text: str, value: object) -> bool:
    """Whether a saying has the value: a number whole, a text but for case and marks."""
    if isinstance(value, int | float):
        return str(value) in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))
    plain, wanted = (re.sub(r"[\W_]", "", str(one)).lower() for one in (text, value))
    return bool(wanted) and wanted in plain


def test_a_part_of_something_longer_is_not_made_vague(staged: Staged) -> None:
    for _, made in staged["missing_value"]:
        assert not re.search(r"[.#/@$*-](?:the|some|what|something|that|you know) ", made.prompt)


def changes(task: Task) -> bool:
    with open_task(task) as opened:
        start = str(opened.session.snapshot())
        for call in task.calls:
            opened.session.call(call.name, call.arguments)
        return str(opened.session.snapshot()) != start


def unmasked(template: str) -> Task:
    made = make_tasks(("inventory",), 120, 21, (3, 6), recovery=0, restraint=0)
    return next(task for task in made if task.template == template)


def test_what_a_prompt_says_in_other_words_is_found_by_its_placeholder() -> None:
    task = unmasked("inventory.reprice")
    price = task.oracle[0].arguments["price"]
    prompt, said = task.prompt.replace(str(price), f"EUR {price}-"), {"price": f"EUR {price}-"}
    told = task.model_copy(update={"prompt": prompt, "said": said})
    made = [put_into(told, "missing_value", random.Random(i)) for i in range(8)]
    left = [one.prompt for one in made if one is not None]
    assert left
    assert all("EUR" not in one for one in left)


def test_a_code_with_the_same_digits_is_not_the_number_that_is_missing() -> None:
    task = unmasked("inventory.departure")
    sku, count = (task.oracle[0].arguments[name] for name in ("sku", "quantity"))
    twin = f"H{count}"
    changed = {**task.oracle[0].arguments, "location": twin}
    rows = [{"sku": sku, "location": twin, "quantity": count + 40}]
    places = [{"code": twin, "note": "yard"}]
    told = task.model_copy(
        update={
            "prompt": f"Of {sku} at {twin} the customer gets {count} pieces.",
            "said": {"sku": sku, "shelf": twin, "quantity": str(count)},
            "oracle": [task.oracle[0].model_copy(update={"arguments": changed})],
            "state": {**task.state, "stock": rows, "locations": places},
        }
    )
    # What lies where is in the state, and the number cannot be taken out of `H16` and ` 16` alike.
    assert all(put_into(told, "missing_value", random.Random(i)) is None for i in range(12))


def test_what_is_done_already_is_left_alone(staged: Staged) -> None:
    kinds = {made.kind for _, made in staged["already_done"]}
    assert TaskKind.STOP in kinds and TaskKind.ACT in kinds
    for task, made in staged["already_done"]:
        assert changes(task)
        assert not changes(made.model_copy(update={"oracle": task.oracle, "history": []}))
        assert not solved(made, made.calls, "Done: I have changed it for you.")
        assert solved(made, made.calls, "That was already the case.")
        if made.kind is not TaskKind.ACT:
            call, text = last_call(made)
            assert call == task.calls[-1]
            assert text.startswith(ERROR_PREFIX)
