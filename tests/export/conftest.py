"""A tiny llama in a folder that `resolve` accepts, and a cache of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_llama import save_tiny

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> MakeFolder:
    """Saves a tiny model with the given config values and returns its folder."""

    def make(cut: str = "smollm", **config: Any) -> Path:
        return save_tiny(tmp_path_factory.mktemp("base") / "tiny", cut, **config)

    return make


@pytest.fixture(scope="session")
def tiny(make_folder: MakeFolder) -> Path:
    """A tiny tied llama."""
    return make_folder()


@pytest.fixture(autouse=True)
def own_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Fast tests leave nothing in the user's cache; slow ones use it, as unpacking takes time."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path / "cache"))
