"""Memory that was freed leaves the process at once: what an export's peak rests on."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Blocks of 2 MB between small ones that stay, so that nothing can be given back from the end.
_SCRIPT = """
import json, re, sys
from contextlib import nullcontext
from tooldrill.export.heap import large_blocks_given_back

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

def left_behind():
    bytes(24 * 2**20)  # freed: by itself the C library now keeps blocks up to this size
    before = resident()
    blocks, kept = [], []
    for number in range(64):
        blocks.append(bytearray(b"x") * 2**21)
        kept.append(bytearray(b"x") * 4096)
    held = resident() - before
    blocks.clear()
    return held, resident() - before

with large_blocks_given_back() if sys.argv[1] == "within" else nullcontext():
    held, left = left_behind()
print(json.dumps([held, left]))
"""


def _left_behind(where: str) -> tuple[int, int]:
    """MB held by the blocks, and still there once they are freed."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, where], check=True, capture_output=True, text=True
    )
    held, left = json.loads(done.stdout)
    return held, left


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is steered")
def test_large_blocks_are_given_back_as_soon_as_they_are_freed() -> None:
    held, left = _left_behind("within")
    assert held > 120
    assert left < 8
    assert _left_behind("outside")[1] > 100  # else the test would show nothing
