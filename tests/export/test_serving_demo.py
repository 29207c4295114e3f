"""serve-check on what `make demo` left: its model may be dropped in behind llama-server.

Skipped without a llama-server, and where the demo was not run (`$TOOLDRILL_DEMO`, else
`runs/demo` of this checkout).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tooldrill.export.serving.binary import ServerBinary
from tooldrill.export.serving.run import PROTOCOLS, serve_check

pytestmark = pytest.mark.slow

DEMO = Path(os.environ.get("TOOLDRILL_DEMO", Path(__file__).parents[2] / "runs/demo"))
# The last of its models is enough: the others differ in nothing but weights.
FILES = sorted((DEMO / "export").glob("*/*-tooldrill-Q8_0.gguf"))[:1]


@pytest.mark.skipif(not FILES, reason="the demo was not run: make demo")
@pytest.mark.parametrize("model", FILES, ids=lambda path: path.parent.name)
def test_the_demos_model_may_be_dropped_in(binary: ServerBinary, model: Path) -> None:
    report = serve_check(model, server=binary.path)
    assert [f"{one.protocol} {one.check}: {one.came}" for one in report.failed] == []
    assert {finding.protocol for finding in report.findings} == set(PROTOCOLS)
    assert len([one for one in report.findings if one.verdict == "ok"]) > 80
