"""SmolLM2 with an adapter beside it: in the stage's check, over a quantized base, and served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from random_adapters import save_adapter

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.export.adapter.run import export_adapter
from tooldrill.export.compare import NEAR_TIE, kl_divergence
from tooldrill.export.logits import LogitReader
from tooldrill.export.merge import tuned_model
from tooldrill.export.readings import model_logits
from tooldrill.export.records import AdapterFile
from tooldrill.export.samples import NEUTRAL, neutral_samples
from tooldrill.export.serving.llama_server import llama_server
from tooldrill.export.settings import ExportSettings
from tooldrill.training.base_model import load_model, load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

pytestmark = pytest.mark.slow
REPLY = 24


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rsLoRA with a rank and an alpha of their own, large enough to change what is said."""
    folder = tmp_path_factory.mktemp("adapter")
    scales = {"rank_pattern": {"v_proj": 4}, "alpha_pattern": {"down_proj": 5}}
    model = load_model(resolve(ModelSettings()))
    save_adapter(model, folder, size=0.035, r=8, lora_alpha=6, use_rslora=True, **scales)
    return folder


@pytest.fixture(scope="module")
def made(
    adapter: Path, embedded: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, AdapterFile]:
    base, path = resolve(ModelSettings()), tmp_path_factory.mktemp("made") / "lora.gguf"
    file, reason = export_adapter(
        adapter, base, path, embedded,
        samples=neutral_samples(load_tokenizer(base)), settings=ExportSettings(),
    )  # fmt: skip
    assert file is not None, reason
    return path, file


@pytest.fixture(scope="module")
def tuned(adapter: Path) -> Any:
    return tuned_model(resolve(ModelSettings()), adapter)


def test_replies_over_the_bases_f16_are_pefts(made: tuple[Path, AdapterFile]) -> None:
    file = made[1]
    assert (file.tensors, file.ranks, file.folded) == (210, {8: 180, 4: 30}, 60)
    assert file.check is not None
    assert file.check.logits.mean_kl < 1e-4
    assert file.check.greedy.equal + file.check.greedy.near_ties == 2
    assert file.check.greedy.equal > 0


def test_over_the_quantized_base_that_a_user_has_it_is_near(
    made: tuple[Path, AdapterFile], tuned: Any, embedded: Path
) -> None:
    tokens = load_tokenizer(resolve(ModelSettings())).encode(NEUTRAL[0])
    expected = model_logits(tuned, tokens, range(len(tokens)))
    kl = []
    for adapters in ([made[0]], []):
        reader = LogitReader(embedded, len(tokens), adapters)
        kl.append(float(kl_divergence(expected, reader.logits(tokens)).mean()))
        reader.close()
    assert kl[0] * 20 < kl[1]


def test_llama_server_with_the_adapter_says_what_peft_does(
    made: tuple[Path, AdapterFile], tuned: Any, embedded: Path, binary: Any
) -> None:
    model = GgufModel(embedded, vocabulary_only=True)
    prompt = model.tokenize(NEUTRAL[3])[:24]
    asked = {"prompt": prompt, "n_predict": REPLY, "temperature": 0, "return_tokens": True}
    said = []
    for options in (["--lora", str(made[0])], ["--lora-scaled", f"{made[0]}:0.0"]):
        with llama_server(binary, embedded, context=256, options=options) as server:
            answer = httpx.post(f"{server.url}/completion", json=asked, timeout=120).json()
            said.append(answer["tokens"])
    read = [*prompt, *said[0][:-1]]
    rows = model_logits(tuned, read, range(len(prompt) - 1, len(read)))
    gaps = rows.max(-1) - rows[np.arange(len(rows)), said[0]]
    # The base's weights are those of the file; llama.cpp rounds what it multiplies them with.
    assert next((gap for gap in gaps if gap > 0), 0) <= 8 * NEAR_TIE
    assert said[0] != said[1], "the adapter does nothing"
