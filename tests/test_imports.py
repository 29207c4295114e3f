"""Imports point one way, and nothing imports a stage by its bare name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each may import itself and what stands before it.
ORDER = ("agent", "data", "training", "export", "eval")
FILES = [path for stage in ORDER for path in sorted((ROOT / stage).rglob("*.py"))]
JOINING = sorted(
    path
    for path in (ROOT / "src/tooldrill").rglob("*.py")
    if path.relative_to(ROOT / "src/tooldrill").parts[0] not in ORDER
)
# eval measures what was exported, and never looks into training or export beyond their settings.
EVAL_MAY_NOT = {"training", "export"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            base = node.module or ""
            yield node.lineno, base
            if base == "tooldrill":
                yield from ((node.lineno, f"tooldrill.{alias.name}") for alias in node.names)


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(ORDER)
    assert len(JOINING) > 10


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_imports_only_what_stands_before_it(stage: str) -> None:
    allowed = {"", *ORDER[: ORDER.index(stage) + 1]}
    wrong = []
    for path in (path for path in FILES if path.relative_to(ROOT).parts[0] == stage):
        for line, name in imports(path):
            parts = name.split(".")
            if parts[0] != "tooldrill" or len(parts) == 1:
                continue
            inside = stage == "eval" and parts[1] in EVAL_MAY_NOT and parts[2:3] != ["settings"]
            if parts[1] not in allowed or inside:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong


def test_nothing_imports_a_bare_stage() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in (*FILES, *JOINING, *tests)
        for line, name in imports(path)
        if name.split(".")[0] in ORDER
    ]
    assert not wrong
