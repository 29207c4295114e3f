"""What an export costs: `make bench-export`.

The embedded SmolLM2-135M with an adapter in every linear layer (random weights: what they say does
not matter here) is merged, written as F16, quantized and compared, in a process of its own. Printed
are seconds by step, peak memory, and whether both stay within their limits. Not a test.

QUANTIZATIONS=Q8_0,Q4_K_M,... takes others; THREADS=2 limits the threads of torch.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

QUANTIZATIONS = os.environ.get("QUANTIZATIONS", "F16,Q8_0,Q5_K_M,Q4_K_M").split(",")
MOST_SECONDS = 60.0
MOST_MEMORY = 2.5  # times the F16 file, over the baseline
RANK = 16


def main() -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as folder:
        _child("adapter", folder)
        baseline = _child("baseline", folder)
        row = _child("export", folder)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python "
          f"{platform.python_version()}\n")  # fmt: skip
    print(f"{'step':24}{'seconds':>9}")
    for step, seconds in row["steps"].items():
        print(f"{step:24}{seconds:>9.2f}")
    total = row["seconds"]
    print(f"{'all':24}{total:>9.2f}   {row['cpu']:.1f} s of processor time, without importing\n")
    print(f"{'file':12}{'MB':>8}{'bits':>7}")
    for file in row["files"]:
        print(f"{file['quantization']:12}{file['bytes'] / 1e6:>8.1f}{file['bits']:>7.2f}   "
              f"{file['told']}")  # fmt: skip
    over = (row["peak"] - baseline["peak"]) / row["f16"]
    bare = (row["peak"] - baseline["bare"]) / row["f16"]
    print(f"\npeak memory {row['peak'] / 1e6:.0f} MB: {over:.2f} times the F16 file over what "
          f"importing the stage takes ({baseline['peak'] / 1e6:.0f} MB), {bare:.2f} over torch, "
          f"transformers and llama_cpp alone ({baseline['bare'] / 1e6:.0f} MB)")  # fmt: skip
    print(_verdict("seconds", total, MOST_SECONDS))
    print(_verdict("memory, times F16", over, MOST_MEMORY))


def _verdict(what: str, found: float, most: float) -> str:
    return f"{what}: {found:.2f} of at most {most:g}: {'holds' if found <= most else 'EXCEEDED'}"


def _child(work: str, folder: str) -> dict[str, Any]:
    command = [sys.executable, __file__, work, folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def _peak() -> int:
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def _adapter(folder: Path) -> dict[str, Any]:
    """Saves an adapter; loading the base unpacks it, as the first training does."""
    import torch
    from peft import LoraConfig, get_peft_model

    from tooldrill.training.base_model import load_model
    from tooldrill.training.find_base import resolve
    from tooldrill.training.settings import ModelSettings

    torch.manual_seed(0)
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear")
    tuned = get_peft_model(load_model(resolve(ModelSettings())), config)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 0.01)
    tuned.save_pretrained(folder / "adapter")
    return {}


def _baseline() -> dict[str, Any]:
    import llama_cpp  # noqa: F401
    import torch  # noqa: F401
    import transformers  # noqa: F401

    bare = _peak()
    import tooldrill.export.run  # noqa: F401

    return {"bare": bare, "peak": _peak()}


def _export(folder: Path) -> dict[str, Any]:
    from tooldrill.export.run import export_model
    from tooldrill.export.settings import ExportSettings
    from tooldrill.training.settings import ModelSettings

    if "THREADS" in os.environ:
        import torch

        torch.set_num_threads(int(os.environ["THREADS"]))
    settings = ExportSettings.model_validate({"quantizations": QUANTIZATIONS})
    started, cpu = time.perf_counter(), time.process_time()
    summary = export_model(ModelSettings(), folder / "adapter", settings, None, folder / "out")
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    files = [
        {"quantization": f.quantization, "bytes": f.bytes, "bits": f.bits_per_weight,
         "told": "; ".join(f"{b.tensors} tensors in {b.type}: {b.reason}" for b in f.fallbacks)}
        for f in summary.files
    ]  # fmt: skip
    parameters = summary.files[0].parameters
    return {
        "steps": summary.seconds,
        "seconds": seconds,
        "cpu": cpu,
        "peak": _peak(),
        "f16": 2 * parameters,
        "files": files,
    }


def _work(name: str, folder: Path) -> dict[str, Any]:
    if name == "baseline":
        return _baseline()
    return _adapter(folder) if name == "adapter" else _export(folder)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(_work(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
