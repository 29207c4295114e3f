"""A tiny llama in a folder that `resolve` accepts, copies of SmolLM2, a cache of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from real_llama_server import real_server
from tiny_llama import save_tiny
from tiny_releases import export_tiny

from tooldrill.agent.render import bundled_template
from tooldrill.export.release.facts import Release
from tooldrill.export.serving.binary import ServerBinary
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

MakeFolder = Callable[..., Path]
MakeFile = Callable[..., Path]
TEMPLATE = "tokenizer.chat_template"


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


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A tiny model with an adapter, exported; nothing is known of its training."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLDRILL_CACHE", str(folder / "cache"))
        return export_tiny(folder)


@pytest.fixture(autouse=True)
def own_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Fast tests leave nothing in the user's cache; slow ones use it, as unpacking takes time."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def binary() -> ServerBinary:
    """The llama-server that serve-check would take."""
    return real_server()


@pytest.fixture(scope="session")
def embedded() -> Path:
    """The embedded SmolLM2 as it comes: its chat template knows no tools."""
    source = resolve(ModelSettings()).gguf_path
    assert source is not None
    return source


@pytest.fixture(scope="session")
def rewrite(embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeFile:
    """Copies the embedded SmolLM2 with another chat template and other metadata."""

    def make(template: str | None = None, **metadata: Any) -> Path:
        path = tmp_path_factory.mktemp("gguf") / "model.gguf"
        reader = gguf.GGUFReader(embedded)
        source = bundled_template() if template is None else template
        new = {TEMPLATE: MetadataDetails(gguf.GGUFValueType.STRING, source)}
        for key, value in metadata.items():
            old = reader.fields[f"tokenizer.ggml.{key}"]
            inner = old.types[-1] if old.types[0] is gguf.GGUFValueType.ARRAY else None
            new[old.name] = MetadataDetails(old.types[0], value, sub_type=inner)
        writer = gguf.GGUFWriter(path, reader.fields["general.architecture"].contents())
        copy_with_new_metadata(reader, writer, new, [])
        return path

    return make
