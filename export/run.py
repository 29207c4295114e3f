"""The export stage: merge, F16, quantizations, verification, in one folder.

Files are made in a folder of their own and get their names only after the verification: a GGUF
under its final name is whole and has passed the gate. One that is there already, of the same
inputs, is used as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.agent.render import ChatTemplate
from tooldrill.export.adapter.run import export_adapter
from tooldrill.export.building import SUMMARY, building, publish
from tooldrill.export.convert import convert
from tooldrill.export.heap import give_back, large_blocks_given_back
from tooldrill.export.merging import merge_measured
from tooldrill.export.quantize import describe, quantize
from tooldrill.export.records import Converter, ExportSummary
from tooldrill.export.reuse import Earlier, is_done, read_earlier, read_inputs
from tooldrill.export.room import require_export_room
from tooldrill.export.samples import read_samples
from tooldrill.export.settings import ExportSettings, Quantization, Unquantized
from tooldrill.export.tensors import check_tensors
from tooldrill.export.verify import verify
from tooldrill.training.base_model import chat_template, load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings


def export_model(  # noqa: PLR0917 - the stages' callers pass these by position
    model: ModelSettings,
    adapter: Path | None,
    settings: ExportSettings,
    samples: Path | None,
    out: Path,
    progress: Progress = silent,
) -> ExportSummary:
    """Makes `out/<name>-<QUANTIZATION>.gguf`, `out/verify.json` and `out/export.json`.

    Of an adapter also `out/<name>-lora.gguf`, where llama.cpp can express it.

    Args:
        adapter: a PEFT folder; None exports the base itself.
        samples: a JSONL of conversations to verify with; None: some in the held-out worlds.

    Raises:
        TooldrillError: for a base or adapter that cannot be exported, a full disk, or an F16 file
            that differs from the merged model (then no GGUF is left, and verify.json says where).
    """
    base = resolve(model)
    name = f"{base.name}-tooldrill" if adapter else base.name
    inputs = read_inputs(model, base, adapter, samples, settings)
    earlier = read_earlier(out, inputs)
    if earlier.summary is not None and is_done(earlier, inputs, out, settings):
        return earlier.summary.model_copy(update={"folder": str(out)})
    require_export_room(base, out, settings.quantizations, earlier.files)
    steps = len({"F16", *settings.quantizations} - earlier.files.keys()) + 2
    clock = _Clock(progress, steps + (adapter is not None and settings.adapter_gguf))
    with large_blocks_given_back(), building(out) as folder:
        clock.begin("merge", "merging" if adapter else "loading")
        tokenizer = load_tokenizer(base)
        template = chat_template(base, model, tokenizer)
        read = read_samples(samples, _compiled(template, tokenizer), tokenizer)
        merged = merge_measured(base, adapter, read, folder, settings=settings, progress=clock.note)
        write = partial(
            convert, merged.model, tokenizer, template,
            base=base, name=name, llama_cpp_dir=settings.llama_cpp_dir, progress=clock.note,
        )  # fmt: skip
        files, converter = _make_all(write, earlier, folder / name, settings, clock)
        f16 = files["F16"]
        tensors = check_tensors(merged.model, f16) if converter == "tooldrill" else None
        clock.begin("verify", "comparing with the merged model")
        checked = verify(
            merged, files, read,
            settings=settings, tensors=tensors, progress=clock.note,
        )  # fmt: skip
        write_text(out / "verify.json", checked.model_dump_json(indent=1) + "\n")
        if checked.failure:
            raise TooldrillError(checked.failure, f"see {out / 'verify.json'}")
        described = [describe(files[one], one) for one in dict.fromkeys(settings.quantizations)]
        lora = no_lora = None
        if adapter is not None and settings.adapter_gguf:
            give_back()
            clock.begin("adapter", "comparing the adapter's GGUF with PEFT")
            lora, no_lora = export_adapter(
                adapter, base, folder / f"{name}-lora.gguf", f16, samples=read, settings=settings
            )
        clock.end()
        kept = [files[file.quantization] for file in described]
        publish([*kept, *([folder / lora.file] if lora else [])], out, name)
    summary = ExportSummary(
        name=name,
        base=model.path,
        adapter=str(adapter) if adapter else None,
        folder=str(out),
        converter=converter,
        files=described,
        adapter_gguf=lora,
        no_adapter_gguf=no_lora,
        verification=checked,
        made_from=inputs.made_from,
        checked_with=inputs.checked_with,
        seconds=clock.seconds,
    )
    write_text(out / SUMMARY, summary.model_dump_json(indent=1) + "\n")
    return summary


def _make_all(
    write: Callable[..., Converter],
    earlier: Earlier,
    stem: Path,
    settings: ExportSettings,
    clock: _Clock,
) -> tuple[dict[Quantization, Path], Converter]:
    """F16 and every file that was asked for; those that are there already are used as they are.

    Args:
        write: makes a file of whole weights.
        stem: path of the files up to `-<QUANTIZATION>.gguf`.
    """
    files: dict[Quantization, Path] = {}
    converter: Converter = earlier.summary.converter if earlier.summary else "tooldrill"
    for quantization in dict.fromkeys(("F16", *settings.quantizations)):
        if quantization in earlier.files:
            files[quantization] = earlier.files[quantization]
            continue
        target = stem.with_name(f"{stem.name}-{quantization}.gguf")
        whole = quantization in get_args(Unquantized)
        verb = "writing" if whole else "quantizing to"
        clock.begin(quantization, f"{verb} {quantization}")
        if whole:
            converter = write(target, kind=quantization)
        else:
            # F16 has more digits than BF16, and is always at hand.
            quantize(files["F16"], target, quantization)
        files[quantization] = target
    return files, converter


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
        give_back()
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
