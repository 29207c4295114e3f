"""The llama-server that tests run: the one that serve-check would take. Without one they skip."""

from __future__ import annotations

import pytest

from tooldrill.export.serving.binary import ServerBinary, find_server, has_server


def real_server() -> ServerBinary:
    """`$LLAMA_SERVER`, the one on PATH, or what `make llama-server` built.

    Raises:
        TooldrillError: when there is one and it does not run: then nothing may pass unnoticed.
    """
    if not has_server():
        pytest.skip("no llama-server: make llama-server, or name one in $LLAMA_SERVER")
    return find_server()
