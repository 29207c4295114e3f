"""serve-check with a real llama-server: a sound file passes, and each kind of damage is told.

Without a llama-server (`make llama-server`, $LLAMA_SERVER) these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import gguf
import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.render import bundled_template, with_own_thinking
from tooldrill.export.serving.binary import ServerBinary
from tooldrill.export.serving.client import ServedModel
from tooldrill.export.serving.findings import Finding, ServeReport
from tooldrill.export.serving.llama_server import llama_server
from tooldrill.export.serving.reference import Reference
from tooldrill.export.serving.run import serve_check
from tooldrill.export.serving.scenes import SCENES, WRITTEN
from tooldrill.export.serving.session import Session, prompt

pytestmark = pytest.mark.slow

CHATML = bundled_template()
TOKENS, EOS = "tokenizer.ggml.tokens", "tokenizer.ggml.eos_token_id"
Rewrite = Callable[..., Path]


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
    react = {finding.check for finding in sound.findings if finding.protocol == "react_json"}
    for scene in (
        "one call", "a call after a tool result", "an error and its repair", "ten tools",
        "a conclusion without a call", "unicode and quotes", "a forced verdict without tools",
    ):  # fmt: skip
        about = {f"{kind}: {scene}" for kind in ("prompt", "replayed", "streamed", "behaviour")}
        assert {scene} | about < set(checks)
        assert {scene} | about < react
    (numbers,) = (f for f in sound.findings if f.check == "prompt: numbers with a point")
    assert (numbers.verdict, numbers.came) == ("ok", "the same")
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
    for how in ("replayed", "streamed"):
        assert {f"{how}: {scene.name}" for scene in SCENES if scene.hoped} < failed.keys()
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
    failed = failures(report)
    assert any("<|turn_over|> leaked" in came for came in failed.values())
    assert {f"replayed: {scene.name}" for scene in SCENES} < failed.keys()


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
    shown = {f"prompt: {scene.name}" for scene in SCENES if scene.tools}
    assert {check for check in failed if check.startswith("prompt")} == shown


THINKING = """
{%- if enable_thinking is defined and enable_thinking is true -%}{{ '<think>\\n' }}
{%- else -%}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif -%}
"""


def test_thinking_that_the_server_opens_is_told_and_may_be_pinned(
    binary: ServerBinary, rewrite: Rewrite
) -> None:
    assert CHATML.rstrip().endswith("{{ reply_turn[0] }}{%- endif -%}")
    template = CHATML.rstrip().removesuffix("{%- endif -%}") + THINKING + "{%- endif -%}"
    path = rewrite(template)

    def told(path: Path, *options: str) -> Finding:
        with (
            closing(Reference(path)) as reference,
            llama_server(binary, path, options=options) as server,
            closing(ServedModel(server.url)) as served,
        ):
            native = reference.template.protocol("native")
            return prompt(Session(served, reference, "native", native), SCENES[0])

    opened = told(path, "--reasoning", "on")
    assert opened.verdict == "fail"
    assert "--reasoning off" in opened.next_step
    assert told(path, "--reasoning", "off").verdict == "ok"
    assert told(rewrite(with_own_thinking(template)), "--reasoning", "on").verdict == "ok"


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
    log = tmp_path / "server.log"
    with (
        pytest.raises(TooldrillError, match="llama-server ended with status 1") as caught,
        llama_server(binary, rewrite(), log=log, options=["--no-such-option"]),
    ):
        pytest.fail("it started")
    assert "invalid argument: --no-such-option" in caught.value.message
    assert caught.value.next_step == f"see {log}"


def test_a_file_that_is_not_whole_is_told_before_anything_starts(
    binary: ServerBinary, rewrite: Rewrite, tmp_path: Path
) -> None:
    whole = rewrite().read_bytes()
    damaged, log = tmp_path / "damaged.gguf", tmp_path / "server.log"
    damaged.write_bytes(whole[: len(whole) // 2])
    with (
        pytest.raises(TooldrillError, match=f"it holds {len(whole) // 2:,} of") as caught,
        llama_server(binary, damaged, log=log),
    ):
        pytest.fail("it started")
    assert caught.value.next_step
    assert not log.exists()


def test_the_report_is_one_json_document(sound: ServeReport) -> None:
    read = ServeReport.model_validate(json.loads(sound.model_dump_json()))
    assert read == sound
