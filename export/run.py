"""The export stage: merge, F16, quantizations, verification, in one folder.

Files are made in a folder of their own and get their names only after the verification: a GGUF
under its final name is whole and has passed the gate.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.agent.render import ChatTemplate
from tooldrill.export.convert import convert
from tooldrill.export.merge import merged_model
from tooldrill.export.quantize import describe, quantize
from tooldrill.export.records import ExportSummary
from tooldrill.export.samples import sample_texts
from tooldrill.export.settings import ExportSettings, Quantization
from tooldrill.export.verify import verify
from tooldrill.training.base_model import chat_template, load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

_BUILDING = ".building-"


def export_model(  # noqa: PLR0917 - the stages' callers pass these by position
    model: ModelSettings,
    adapter: Path | None,
    settings: ExportSettings,
    samples: Path | None,
    out: Path,
    progress: Progress = silent,
) -> ExportSummary:
    """Makes `out/<name>-<QUANTIZATION>.gguf`, `out/verify.json` and `out/export.json`.

    Args:
        adapter: a PEFT folder; None exports the base itself.
        samples: a JSONL of conversations to verify with; None: neutral text.

    Raises:
        TooldrillError: for a base or adapter that cannot be exported, a full disk, or an F16 file
            that differs from the merged model (then no GGUF is left, and verify.json says where).
    """
    base = resolve(model)
    name = f"{base.name}-tooldrill" if adapter else base.name
    clock = _Clock(progress, total=len({"F16", *settings.quantizations}) + 2)
    with _building(out) as folder:
        clock.begin("merge", "merging" if adapter else "loading")
        tokenizer = load_tokenizer(base)
        template = chat_template(base, model, tokenizer)
        texts = sample_texts(samples, _compiled(template, tokenizer))
        merged = merged_model(base, adapter)
        clock.begin("F16", "writing F16")
        f16 = folder / f"{name}-F16.gguf"
        converter = convert(
            merged, tokenizer, template, f16,
            base=base, name=name, llama_cpp_dir=settings.llama_cpp_dir, progress=clock.note,
        )  # fmt: skip
        files = _quantize_all(f16, name, settings, clock)
        clock.begin("verify", "comparing with the merged model")
        checked = verify(
            merged, tokenizer, {"F16": f16, **files}, texts, settings=settings, progress=clock.note
        )
        write_text(out / "verify.json", checked.model_dump_json(indent=1) + "\n")
        if checked.failure:
            raise TooldrillError(checked.failure, f"see {out / 'verify.json'}")
        described = [describe(path, quantization) for quantization, path in files.items()]
        clock.end()
        _publish(files, out)
    summary = ExportSummary(
        name=name,
        base=model.path,
        adapter=str(adapter) if adapter else None,
        folder=str(out),
        converter=converter,
        files=described,
        verification=checked,
        seconds=clock.seconds,
    )
    write_text(out / "export.json", summary.model_dump_json(indent=1) + "\n")
    return summary


def _quantize_all(
    f16: Path, name: str, settings: ExportSettings, clock: _Clock
) -> dict[Quantization, Path]:
    """Every file that was asked for, by quantization, in the order asked."""
    files: dict[Quantization, Path] = {}
    for quantization in settings.quantizations:
        target = f16.with_name(f"{name}-{quantization}.gguf")
        if quantization != "F16":
            clock.begin(quantization, f"quantizing to {quantization}")
            quantize(f16, target, quantization)
        files[quantization] = target
    return files


@contextmanager
def _building(out: Path) -> Iterator[Path]:
    """A folder inside `out`, gone when the block ends; one that a killed run left goes first."""
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{_BUILDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = out / f"{_BUILDING}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(files: dict[Quantization, Path], out: Path) -> None:
    for path in files.values():
        path.replace(out / path.name)


def _compiled(template: str, tokenizer: Any) -> ChatTemplate:
    return ChatTemplate(template, tokenizer.bos_token or "", tokenizer.eos_token or "")


class _Clock:
    """Seconds of each step, told to the progress as steps begin."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._total = total
        self._step: str | None = None
        self._started = 0.0

    def begin(self, step: str, note: str) -> None:
        self._stop()
        self._step, self._started = step, time.perf_counter()
        self._progress(len(self.seconds), self._total, note)

    def note(self, done: int, total: int, note: str = "") -> None:
        """Tells how far the step under way is, which does not count as a step itself."""
        self._progress(len(self.seconds), self._total, f"{note} ({done} of {total})")

    def end(self) -> None:
        self._stop()
        self._progress(self._total, self._total, "verified")

    def _stop(self) -> None:
        if self._step:
            self.seconds[self._step] = round(time.perf_counter() - self._started, 3)
            self._step = None
