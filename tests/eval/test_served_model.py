"""A model behind an endpoint is evaluated, and the results say how it was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted_endpoint import error, reply, serve
from typer.testing import CliRunner

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import silent
from tooldrill.agent.settings import EndpointSettings
from tooldrill.cli.app import app
from tooldrill.eval.results import Results
from tooldrill.eval.run import partial_path
from tooldrill.eval.settings import BaselineSettings, EvalSettings
from tooldrill.eval.suite import heldout_set
from tooldrill.eval_stage import evaluate_model

SETTINGS = EvalSettings(tasks=3, endpoint=EndpointSettings(parallel=1, body={"top_a": 1}))
DONE = reply(content="Done.")


def pages(size: int = 10) -> dict[str, Any]:
    meta = {"size": size, "ftype": "Q8_0"}
    models = [{"id": "/m/tiny.gguf", "owned_by": "llamacpp", "meta": meta}]
    props = {"chat_template_caps": {"supports_tools": True}}
    return {"/v1/models": {"data": models}, "/props": props}


def run(url: str, out: Path, settings: EvalSettings = SETTINGS) -> Results:
    model = BaselineSettings(name="served", endpoint=url)
    return evaluate_model(model, settings, heldout_set(settings), out, silent)


def test_the_results_say_how_the_server_was_asked_and_what_it_said(tmp_path: Path) -> None:
    with serve(DONE, pages=pages()) as server:
        results = run(server.url, tmp_path / "served.json")
        assert all(body["top_a"] == 1 for body in server.requests)
    assert Results.load(tmp_path / "served.json") == results
    assert results.condition.endpoint == SETTINGS.endpoint
    told = {"program": "llama-server", "quantization": "Q8_0", "size": 10, "calls": "server"}
    assert results.model.server == told
    assert (results.model.quantization, results.model.size) == ("Q8_0", 10)


def test_a_run_that_is_refused_goes_on_with_the_same_model_only(tmp_path: Path) -> None:
    out = tmp_path / "served.json"
    with serve(DONE, error(401, "expired"), pages=pages()) as server:
        with pytest.raises(TooldrillError, match="expired"):
            run(server.url, out)
        assert len(partial_path(out).read_text().splitlines()) == 2
        server.answers = [DONE]
        asked = len(server.requests)
        slower = SETTINGS.model_copy(update={"endpoint": EndpointSettings(body={"top_a": 1})})
        run(server.url, out, slower)
        assert len(server.requests) - asked == 2

        out = tmp_path / "again.json"
        server.answers = [DONE, error(401, "expired")]
        with pytest.raises(TooldrillError, match="expired"):
            run(server.url, out)
        server.answers, server.pages = [DONE], pages(size=11)
        asked = len(server.requests)
        run(server.url, out)
        assert len(server.requests) - asked == 3


def test_without_a_name_the_only_model_is_taken_and_named(tmp_path: Path) -> None:
    out, config = tmp_path / "served.json", tmp_path / "run.yaml"
    config.write_text("name: small\neval: {tasks: 2}\n")
    with serve(DONE, pages=pages()) as server:
        arguments = ["eval", str(config), "--endpoint", server.url, "--out", str(out)]
        result = CliRunner().invoke(app, [*arguments, "--api-key", "sesame"])
        assert result.exit_code == 0, result.output
        assert {headers["Authorization"] for headers in server.headers} == {"Bearer sesame"}
    assert "serves /m/tiny.gguf" in result.output
    assert Results.load(out).model.name == "tiny"
    assert "sesame" not in out.read_text()
