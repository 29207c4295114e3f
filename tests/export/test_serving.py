"""serve-check with a real llama-server: a sound file passes, and each kind of damage is told.

Without a llama-server (`make llama-server`, $LLAMA_SERVER) these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.render import bundled_template
from tooldrill.export.serving.binary import ServerBinary, find_server
from tooldrill.export.serving.findings import ServeReport
from tooldrill.export.serving.llama_server import llama_server
from tooldrill.export.serving.run import serve_check
from tooldrill.export.serving.scenes import WRITTEN
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

pytestmark = pytest.mark.slow

CHATML = bundled_template()
TEMPLATE = "tokenizer.chat_template"
TOKENS, EOS = "tokenizer.ggml.tokens", "tokenizer.ggml.eos_token_id"
Rewrite = Callable[..., Path]


@pytest.fixture(scope="module")
def binary() -> ServerBinary:
    try:
        return find_server()
    except TooldrillError as error:
        pytest.skip(f"{error.message}: {error.next_step}")


@pytest.fixture(scope="module")
def embedded() -> Path:
    source = resolve(ModelSettings()).gguf_path
    assert source is not None
    return source


@pytest.fixture(scope="module")
def rewrite(embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> Rewrite:
    """Copies the embedded SmolLM2 with another chat template and other metadata."""

    def make(template: str = CHATML, **metadata: Any) -> Path:
        path = tmp_path_factory.mktemp("gguf") / "model.gguf"
        reader = gguf.GGUFReader(embedded)
        architecture = reader.fields["general.architecture"].contents()
        new = {TEMPLATE: MetadataDetails(gguf.GGUFValueType.STRING, template)}
        for key, value in metadata.items():
            old = reader.fields[f"tokenizer.ggml.{key}"]
            inner = old.types[-1] if old.types[0] is gguf.GGUFValueType.ARRAY else None
            new[old.name] = MetadataDetails(old.types[0], value, sub_type=inner)
        writer = gguf.GGUFWriter(path, architecture)
        copy_with_new_metadata(reader, writer, new, [])
        return path

    return make


@pytest.fixture(scope="module")
def sound(binary: ServerBinary, rewrite: Rewrite) -> ServeReport:
    return serve_check(rewrite(), server=binary.path)


def failures(report: ServeReport) -> dict[str, str]:
    return {finding.check: finding.came for finding in report.failed}


def test_a_model_with_the_bundled_template_may_be_dropped_in(sound: ServeReport) -> None:
    assert failures(sound) == {}
    checks = [finding.check for finding in sound.findings if finding.protocol == "native"]
    assert len(checks) == len(set(checks))
    assert {"stop token", "recognition: unicode and quotes", "streaming"} < set(checks)
    for scene in (
        "one call", "after a tool result", "an error and its repair", "ten tools",
        "a conclusion without a call", "unicode and quotes", "a forced verdict without tools",
    ):  # fmt: skip
        assert {scene, f"prompt: {scene}", f"behaviour: {scene}"} < set(checks)
        assert any(f.check == scene for f in sound.findings if f.protocol == "react_json")
    assert sound.version
    assert "model.gguf" in Path(sound.log).read_text("utf-8", errors="replace")


def test_a_template_whose_calls_nobody_knows_fails(binary: ServerBinary, rewrite: Rewrite) -> None:
    call = "{{ '<tool_call>{\"name\": ' }}{{ call['name'] | tojson }}{{ ', \"arguments\": ' }}"
    assert call in CHATML
    marked = CHATML.replace(call, "{{ '@' }}{{ call['name'] }}{{ '@' }}")
    report = serve_check(rewrite(marked), server=binary.path, protocols=["native"])
    assert failures(report) == {
        "chat template": "the chat template writes calls in no known way, so no native tool calls "
        "can be made with it"
    }
    assert "model.chat_template=tooldrill" in report.failed[0].next_step


def test_calls_that_the_server_does_not_recognise_fail(
    binary: ServerBinary, embedded: Path
) -> None:
    """The embedded model as it comes, with a template without tools, beside that of a training."""
    report = serve_check(
        embedded, server=binary.path, protocols=["native"], template="tooldrill-chatml"
    )
    failed = failures(report)
    assert "no tool_calls; content is '<tool_call>" in failed["recognition: a call"]
    assert {f"recognition: {name}" for name in WRITTEN} < failed.keys()
    assert "training has" in failed["prompt: one call"]


def test_a_stop_token_that_the_server_does_not_know_fails(
    binary: ServerBinary, embedded: Path, rewrite: Rewrite
) -> None:
    tokens = gguf.GGUFReader(embedded).fields[TOKENS].contents()
    place = tokens.index("<|im_end|>")
    tokens[place] = "<|turn_over|>"
    template = CHATML.replace("<|im_end|>", "<|turn_over|>")
    path = rewrite(template, tokens=tokens, eos_token_id=0)
    report = serve_check(path, server=binary.path, protocols=["native"])
    (stop,) = [finding for finding in report.failed if finding.check == "stop token"]
    assert stop.demanded == "<|turn_over|> ends a reply"
    assert "went on for 4 tokens" in stop.came
    assert f"eot_token_id to {place}" in stop.next_step
    leaked = [came for came in failures(report).values() if "<|turn_over|> leaked" in came]
    assert leaked


def test_a_prompt_with_a_space_less_than_in_training_fails(
    binary: ServerBinary, rewrite: Rewrite
) -> None:
    assert CHATML.count("Call one with") == 1
    path = rewrite(CHATML.replace("Call one with", "Callone with"))
    report = serve_check(
        path, server=binary.path, protocols=["native"], template="tooldrill-chatml"
    )
    failed = failures(report)
    assert "training has ' one with" in failed["prompt: one call"]
    # Where no tools are shown, nothing differs.
    assert "prompt: a forced verdict without tools" not in failed


def test_the_server_is_stopped_also_after_an_error(
    binary: ServerBinary, rewrite: Rewrite, tmp_path: Path
) -> None:
    log = tmp_path / "logs/server.log"
    seen = []

    def fail() -> None:
        with llama_server(binary, rewrite(), log=log) as server:
            seen.append(server)
            server.require_alive()
            raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        fail()
    (running,) = seen
    assert running.process.returncode is not None
    assert "listening" in log.read_text("utf-8", errors="replace")
    with pytest.raises(TooldrillError, match="ended with status"):
        running.require_alive()


def test_a_server_that_does_not_start_says_why(
    binary: ServerBinary, rewrite: Rewrite, tmp_path: Path
) -> None:
    whole = rewrite().read_bytes()
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(whole[: len(whole) // 2])
    with (
        pytest.raises(TooldrillError, match="llama-server ended with status 1") as caught,
        llama_server(binary, damaged),
    ):
        pytest.fail("it started")
    assert "data is not within the file bounds" in caught.value.message


def test_the_report_is_one_json_document(sound: ServeReport) -> None:
    read = ServeReport.model_validate(json.loads(sound.model_dump_json()))
    assert read == sound
