"""Every class that the checker finds, on one small registry, and what it must not flag."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls, refusal, rejected_arguments
from tooldrill.agent.introspect import registry_from_functions
from tooldrill.agent.signature import SignatureLevel, signature
from tooldrill.agent.sources.tool_files import tool_file_registry
from tooldrill.agent.tool import Registry


def append_file(path: str, content: str, encoding: str = "utf-8") -> None:
    """Append text to a file."""


def write_file(path: str, content: str, overwrite: bool = False) -> None:
    """Write a file."""


def grep(
    pattern: str,
    paths: list[str] | None = None,
    limit: int = 10,
    mode: Literal["plain", "regex"] = "plain",
    ratio: float = 1.0,
) -> None:
    """Find lines."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return registry_from_functions([append_file, write_file, grep])


def kinds(calls: list[Call], registry: Registry, past: tuple[PastCall, ...] = ()) -> list[str]:
    return [str(v.kind) for v in check_calls(calls, registry, past)]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("append_file", {"path": "a", "content": "b"}, []),
        ("grep", {"pattern": "x", "paths": ["a"], "limit": 3.0, "ratio": 2}, []),
        ("grep", {"pattern": "x", "paths": None}, []),
        ("append_file", {"path": "a", "content": "b", "overwrite": True}, ["borrowed_argument"]),
        ("append_file", {"path": "a", "content": "b", "force": True}, ["invented_argument"]),
        ("append_file", {"path": "a"}, ["missing_argument"]),
        ("append_file", {"path": 3, "content": "b"}, ["wrong_type"]),
        ("append_file", {"path": None, "content": "b"}, ["wrong_type"]),
        ("grep", {"pattern": "x", "limit": "3"}, ["wrong_type"]),
        ("grep", {"pattern": "x", "limit": True}, ["wrong_type"]),
        ("grep", {"pattern": "x", "limit": 2.5}, ["wrong_type"]),
        ("grep", {"pattern": "x", "paths": "a"}, ["wrong_type"]),
        ("grep", {"pattern": "x", "paths": ["a", 1]}, ["wrong_type"]),
        ("grep", {"pattern": "x", "mode": "fuzzy"}, ["invalid_value"]),
        ("AppendFile", {"path": "a", "content": "b"}, ["unknown_tool"]),
        ("conclusion", {"text": "done"}, ["terminator_as_tool"]),
        ("Final-Answer", {}, ["terminator_as_tool"]),
        (
            "append_file",
            {"path": 1, "overwrite": True, "zzz": 1},
            ["wrong_type", "borrowed_argument", "invented_argument", "missing_argument"],
        ),
    ],
)
def test_classes(
    name: str, arguments: dict[str, Any], expected: list[str], registry: Registry
) -> None:
    assert kinds([Call(name, arguments)], registry) == expected


def test_a_refused_argument_that_comes_back_is_sticky_whoever_owns_it(registry: Registry) -> None:
    first = Call("append_file", {"path": "a", "content": "b", "overwrite": True})
    past = (PastCall(first, True, ("overwrite",)),)
    again = Call("grep", {"pattern": "x", "overwrite": True})
    assert kinds([again], registry, past) == ["sticky_argument"]
    # The tool that has the parameter may be given it.
    owner = Call("write_file", {"path": "a", "content": "b", "overwrite": True})
    assert kinds([owner], registry, past) == []


def test_repeated_failure_needs_the_same_arguments_and_an_error(registry: Registry) -> None:
    call = Call("append_file", {"path": "a", "content": "b"})
    same = Call("append_file", {"content": "b", "path": "a"})
    assert kinds([same], registry, (PastCall(call, True),)) == ["repeated_failure"]
    assert kinds([same], registry, (PastCall(call, False),)) == []
    other = Call("append_file", {"path": "a", "content": "c"})
    assert kinds([other], registry, (PastCall(call, True),)) == []


def test_a_tool_really_named_finish_is_no_terminator() -> None:
    def finish(answer: str) -> None:
        """Hand in the answer."""

    assert kinds([Call("finish", {"answer": "a"})], registry_from_functions([finish])) == []


def test_details_name_the_owner_the_path_and_the_nearest_name(registry: Registry) -> None:
    borrowed, leaf = check_calls(
        [
            Call("append_file", {"path": "a", "content": "b", "overwrite": True}),
            Call("grep", {"pattern": "x", "paths": ["a", 1]}),
        ],
        registry,
    )
    assert borrowed.owners == ("write_file",)
    assert leaf.path == "$.paths[1]"
    (near,) = check_calls(
        [Call("append_file", {"path": "", "content": "", "encode": ""})], registry
    )
    assert near.suggestion == "encoding"
    (unknown,) = check_calls([Call("Append-File", {})], registry)
    assert unknown.suggestion == "append_file"


def test_the_refusal_tells_what_is_wrong_and_the_exact_signature(registry: Registry) -> None:
    call = Call("append_file", {"path": "a", "content": "b", "overwrite": True})
    violations = check_calls([call], registry)
    text = refusal(violations, registry)
    assert text == (
        'ERROR: append_file has no parameter "overwrite" (write_file has it). '
        'Signature: append_file(path, content, encoding="utf-8")'
    )
    assert rejected_arguments(violations) == ("overwrite",)


def test_the_verdict_survives_saving_and_loading(registry: Registry, tmp_path: Any) -> None:
    registry.save(tmp_path / "tools.json")
    loaded = tool_file_registry(tmp_path / "tools.json")
    assert loaded == registry
    call = Call("grep", {"pattern": 1, "paths": ["a", 1], "overwrite": 1, "x": 2})
    assert check_calls([call], loaded) == check_calls([call], registry)


def test_signature_levels(registry: Registry) -> None:
    tool = registry["grep"]
    assert signature(tool, SignatureLevel.NAMES) == "grep"
    assert signature(tool) == 'grep(pattern, paths=null, limit=10, mode="plain", ratio=1.0)'
    assert signature(tool, SignatureLevel.TYPED) == (
        "grep(pattern: string, paths: array[string]|null = null, limit: integer = 10, "
        'mode: "plain"|"regex" = "plain", ratio: number = 1.0) - Find lines.'
    )
