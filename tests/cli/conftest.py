"""A command run in this process, and results files of hand-made episodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.eval.conftest import Build
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.cli.main import main

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs `tooldrill` with the arguments: exit status, output, errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return int(end.value.code or 0), told.out, told.err

    return run


@pytest.fixture
def save_results(tmp_path: Path) -> Callable[..., str]:
    """Saves solved episodes of a call and a conclusion; every n-th call names no tool."""
    unknown = Violation(kind=ViolationClass.UNKNOWN_TOOL, tool="x", message="no such tool")

    def save(name: str, total: int, every: int | None, size: int = 1_000_000) -> str:
        episodes = []
        for number in range(1, total + 1):
            bad = every is not None and number % every == 0
            steps = [Build.call(violations=[unknown] if bad else []), Build.end()]
            episode = Build.episode(Build.task(number=number), *steps)
            update = {"success": True, "template": f"files.t{number}"}
            episodes.append(episode.model_copy(update=update))
        results = Build.results(episodes, name)
        model = results.model.model_copy(update={"size": size})
        path = tmp_path / f"{name.partition(' ')[0]}.json"
        results.model_copy(update={"model": model}).save(path)
        return str(path)

    return save
