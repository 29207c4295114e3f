"""What a reply after an error is called, case by case."""

import pytest

from tooldrill.eval.after_errors import After, after_errors, what_came
from tooldrill.eval.judged import judged
from tooldrill.eval.table import after_rows


def after(build, *steps, success=False, path="a.txt"):
    """The episode in which an `append_file` of `a.txt` failed first."""
    task = build.task(history=build.failed_history())
    episode = build.episode(task, *steps).model_copy(update={"success": success})
    results = build.results([episode]).model_copy(update={"tasks": [task]})
    return results, judged(results)[0]


@pytest.mark.parametrize(
    ("made", "success", "what"),
    [
        (lambda b: b.call(error=True), False, After.IDENTICAL),
        (lambda b: b.call(path=" A.txt ", error=True), False, After.COSMETIC),
        (lambda b: b.call(path="b.txt", error=True), False, After.FAILURE),
        (lambda b: b.call("read_file"), False, After.DETOUR),
        (lambda b: b.end("I could not append it: there is no such file."), False, After.STOP),
        (lambda b: b.end("Which file do you mean?"), False, After.QUESTION),
        (lambda b: b.end("Done, it is appended."), False, After.FABRICATED),
        (lambda b: b.end("Done, it is appended."), True, After.END),
        (lambda b: b.unreadable(), False, After.UNREADABLE),
    ],
)
def test_by_hand(build, made, success, what):
    _, one = after(build, made(build), success=success)
    assert what_came(one, one.replies[0]) is what


def test_a_repair_is_a_call_of_the_oracle(build):
    history = build.failed_history("write_file")
    task = build.task(history=history)
    episode = build.episode(task, build.call(), build.end())
    results = build.results([episode]).model_copy(update={"tasks": [task]})
    (one,) = judged(results)
    assert what_came(one, one.replies[0]) is After.REPAIR
    assert after_errors([one]) == {After.REPAIR: 1}


def test_rows_leave_out_what_nobody_did(build):
    first, _ = after(build, build.call(error=True), build.call(path="b.txt", error=True))
    other, _ = after(build, build.end("Done."))
    assert after_rows([first, other]) == [
        ("identical retry", ["50.0% (1)", "0.0% (0)"]),
        ("another failure", ["50.0% (1)", "0.0% (0)"]),
        ("fabricated success", ["0.0% (0)", "100.0% (1)"]),
    ]
