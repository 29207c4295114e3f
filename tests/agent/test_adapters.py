"""LoRA adapters that are not merged: the replies of the merged model, or a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_adapters import save_adapter, save_models
from tiny_engine import open_engine, replies, turn

from tooldrill.agent.engines.adapters import parse_adapter
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file

PROMPTS = [f"open file {n} and read line {n * 3} of path " for n in range(8)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    made = save_models(folder)
    one = next(iter(made))
    save_adapter(folder / "qwen3.gguf", made, arch="qwen3")
    save_adapter(folder / "model.gguf", made, kind="model")
    save_adapter(folder / "wide.gguf", {one: (made[one][0][:, :8], made[one][1])})
    return {"base": folder / "base.gguf", "merged": folder / "merged.gguf", "folder": folder}


def texts(path: Path, *adapters: str) -> list[str]:
    engine = open_engine(path, 3, adapters=list(adapters))
    given = replies(engine, [turn(str(n), text, 32) for n, text in enumerate(PROMPTS)])
    engine.close()
    return [given[str(n)].text for n in range(len(PROMPTS))]


def test_replies_are_the_merged_models(files: dict[str, Path]) -> None:
    lora = str(files["folder"] / "lora.gguf")
    merged, base = texts(files["merged"]), texts(files["base"])
    assert texts(files["base"], lora) == merged
    assert sum(one != other for one, other in zip(merged, base, strict=True)) >= 6
    assert texts(files["base"], f"{lora}:0") == base
    half = f"{lora}:0.5"
    assert texts(files["base"], half, half) == merged != texts(files["base"], half)


def test_the_info_names_every_adapter(files: dict[str, Path]) -> None:
    lora = files["folder"] / "lora.gguf"
    engine = open_engine(files["base"], adapters=[f"{lora}:0.5"])
    engine.close()
    (info,) = engine.info.adapters
    assert (info.path, info.scale, info.sha256) == (str(lora), 0.5, sha256_file(lora))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.gguf", "no GGUF file"),
        ("base.gguf", "is no LoRA adapter for base.gguf: .*general.type"),
        ("model.gguf", "is no LoRA adapter for base.gguf: .*general.type"),
        ("qwen3.gguf", "is no LoRA adapter for base.gguf: .*arch"),
        ("wide.gguf", "is no LoRA adapter for base.gguf: .*incorrect shape"),
    ],
)
def test_what_is_no_adapter_of_the_model_is_refused_in_one_line(
    name: str, reason: str, files: dict[str, Path]
) -> None:
    with pytest.raises(TooldrillError, match=reason) as caught:
        open_engine(files["base"], adapters=[str(files["folder"] / name)])
    assert "\n" not in caught.value.message
    assert caught.value.next_step


def test_paths_and_scales() -> None:
    assert parse_adapter("a/b.gguf") == (Path("a/b.gguf"), 1.0)
    assert parse_adapter("a/b.gguf:0.25") == (Path("a/b.gguf"), 0.25)
    assert parse_adapter("C:b.gguf") == (Path("C:b.gguf"), 1.0)
    with pytest.raises(TooldrillError, match="is no number"):
        parse_adapter("b.gguf:nan")
