"""Memory that runs out ends in one line and the settings to try, and those help."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_llama import save_tiny

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.training.hardware import Hardware
from tooldrill.training.out_of_memory import less_memory, out_of_memory_told

# Trains under a limit on the address space: what is in use when training begins, and some more.
SCRIPT = """
import resource, sys
from pathlib import Path
import psutil
from tooldrill.agent.errors import TooldrillError
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.training.sft import train_sft

place, megabytes = Path(sys.argv[1]), int(sys.argv[2])
given = dict(pair.split("=") for pair in sys.argv[3:])
settings = TrainingSettings.model_validate({
    "lora": {"rank": 4}, "report_to": [], "sft": {"batch_size": 12},
    "hardware": {"device": "cpu", "dtype": "float32", "threads": 1, "tokens": 20000, **given},
})

def limit(done, total, note=""):
    if done:
        return
    size = psutil.Process().memory_info().vms + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))

model = ModelSettings(path=str(place / "tiny"))
try:
    train_sft(model, settings, place / "set/sft.jsonl", Path(sys.argv[1]) / "out", limit)
except TooldrillError as error:
    print(error.message, error.next_step, sep="\\n")
    sys.exit(7)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the address space")
def test_a_refused_allocation_ends_in_settings_that_help(tmp_path: Path) -> None:
    data = DataSettings(worlds=["files"], traces=12, pairs=2, tools=(2, 3), workers=1)
    build(data, tmp_path / "set")
    save_tiny(tmp_path / "tiny", max_position_embeddings=4096, num_hidden_layers=12)

    def train(*settings: str) -> tuple[int, list[str]]:
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), "250", *settings]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    status, lines = train()
    assert status == 7, lines
    message, step = lines
    assert message.startswith("training ran out of memory when it asked for ")
    tokens, checkpointing = step.removeprefix("set ").split(" or ")
    assert checkpointing == "training.hardware.gradient_checkpointing=true"
    name, _, number = tokens.rpartition("=")
    assert name == "training.hardware.tokens"
    assert 1000 < int(number) < 10_000
    assert not (tmp_path / "out/adapter").exists()

    status, lines = train(f"tokens={number}", "gradient_checkpointing=true")
    assert status == 0, lines
    assert (tmp_path / "out/adapter/adapter_model.safetensors").is_file()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
                "7.79 GiB of which 1.10 GiB is free."
            ),
            "it asked for 2.00 GiB more",
        ),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:132] err == 0. DefaultCPUAllocator: can't allocate "
                "memory: you tried to allocate 5120000000 bytes. Error code 12 (Cannot allocate "
                "memory)"
            ),
            "it asked for 5120 MB more",
        ),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), "ran out of memory"),
        (MemoryError(), "training ran out of memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "training ran out of memory"),
    ],
)
def test_every_way_to_say_so_is_understood(error: Exception, told: str) -> None:
    with pytest.raises(TooldrillError, match=told) as caught, out_of_memory_told("training", "do"):
        raise error
    assert caught.value.next_step == "do"
    # Also where something in between gave it another name.
    with pytest.raises(TooldrillError, match="ran out"), out_of_memory_told("training", "do"):
        raise TooldrillError("cannot load the model", "check the files") from error


@pytest.mark.parametrize(
    "error", [RuntimeError("shared memory format"), OSError(errno.ENOENT, "gone"), KeyError("x")]
)
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)), out_of_memory_told("training", "do"):
        raise error


def test_advice_fits_what_was_used() -> None:
    def settled(checkpointing: bool, attention: str = "branches") -> Hardware:
        return Hardware("cpu", "float32", 1, checkpointing, attention, 8000, ())  # type: ignore[arg-type]

    plain = less_memory(settled(False), longest=900, largest=4000)
    assert plain == (
        "set training.hardware.tokens=2000 or training.hardware.gradient_checkpointing=true"
    )
    assert "tokens=900 " in less_memory(settled(False), longest=900, largest=1000)
    # A pack is never less than an example.
    alone = less_memory(settled(False), longest=900, largest=900)
    assert alone == "set training.hardware.gradient_checkpointing=true"
    assert "attention=branches" in less_memory(settled(True, "dense"), longest=900, largest=900)
    assert "smaller model.path" in less_memory(settled(True), longest=900, largest=900)
