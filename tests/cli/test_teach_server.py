"""`data teach --server KEY=VALUE`: how a server is asked, as `eval.endpoint` of a config."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted_endpoint import Scripted, error, reply, serve, short_pauses

from tooldrill.cli.main import main

Teach = Callable[..., str]
WRONG = reply(content="Done: nothing.")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command takes over the signal by which it is asked to stop."""
    before = signal.getsignal(signal.SIGTERM)
    with short_pauses():
        yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def teach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Teach:
    """The command on two tasks, of which this model solves hardly any; returns what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOOLDRILL_API_KEY", raising=False)
    monkeypatch.setenv("MY_KEY", "the-key")

    def run(scripted: Scripted, *options: str) -> str:
        arguments = ["data", "teach", "--model", "some-model", "--endpoint", scripted.url]
        with pytest.raises(SystemExit):
            main([*arguments, "--out", "taught", "-n", "2", *options])
        return capsys.readouterr().err

    return run


def test_each_request_is_made_as_was_said(teach: Teach) -> None:
    with serve(WRONG) as scripted:
        teach(
            scripted, "--server", "body={top_k: 7}", "--server", "api_key_env=MY_KEY",
            "--server", "parallel=1",
        )  # fmt: skip
    assert len(scripted.requests) >= 2
    assert {request["top_k"] for request in scripted.requests} == {7}
    assert {headers["Authorization"] for headers in scripted.headers} == {"Bearer the-key"}


def test_without_it_nothing_is_added(teach: Teach) -> None:
    with serve(WRONG) as scripted:
        teach(scripted)
    assert scripted.requests
    assert not any("top_k" in request for request in scripted.requests)
    assert not any("Authorization" in headers for headers in scripted.headers)


def test_it_wins_over_the_config(teach: Teach, tmp_path: Path) -> None:
    config = "name: mine\neval:\n  endpoint:\n    body: {top_k: 3}\n"
    (tmp_path / "mine.yaml").write_text(config)
    with serve(WRONG) as scripted:
        teach(scripted, "--config", "mine.yaml", "--server", "body={top_k: 7}")
    assert scripted.requests
    assert {request["top_k"] for request in scripted.requests} == {7}


def test_how_often_a_request_is_tried_again(teach: Teach) -> None:
    with serve(error(500, "no")) as scripted:
        teach(scripted, "--server", "retries=0", "--server", "parallel=1")
    assert len(scripted.requests) == 2  # one for each task


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("timout=3", "unknown key; did you mean eval.endpoint.timeout?"),
        ("timeout=soon", "eval.endpoint.timeout"),
        ("timeout", "has the form key.path=value"),
    ],
)
def test_what_is_no_setting_is_one_line(teach: Teach, server: str, said: str) -> None:
    with serve(WRONG) as scripted:
        lines = teach(scripted, "--server", server).splitlines()
    assert [line[:7] for line in lines] == ["error: ", "next:  "]
    assert said in " ".join(lines)
    assert scripted.requests == []
