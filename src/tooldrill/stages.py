"""The stages of a run: what each depends on, reads, and which function of its package does it.

The packages know nothing of runs and folders; this is the one place that joins them. They are
imported when a stage works, not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tooldrill.agent.progress import Progress
from tooldrill.eval.cells import cells
from tooldrill.layout import (
    BASE,
    DPO,
    ROUNDS,
    SFT,
    all_result_files,
    conditions,
    gguf_path,
)
from tooldrill.pipeline import Run, Stage, recorded


def model_files(run: Run) -> list[Path]:
    """The base model's files; none for a hub name, which stands in the config."""
    from tooldrill.training.find_base import resolve

    base = resolve(run.config.model)
    template = Path(run.config.model.chat_template or "").expanduser()
    extra = [template] if template.is_file() else []
    if base.gguf_path is not None:
        return [base.gguf_path, *extra]
    folder = Path(base.folder)
    return [folder, *extra] if folder.is_dir() else extra


def _data_file(run: Run, step: str) -> Path:
    return run.stage_folder("data") / f"{step}.parquet"


def _extra_files(run: Run) -> list[Path]:
    """What `data.files` names; of one that is not there the build tells."""
    paths = [file.path for file in run.config.data.files]
    sets = [path / name for path in paths for name in ("sft.jsonl", "dpo.jsonl")]
    return [path for path in (*paths, *sets) if path.is_file()]


def _adapter(run: Run, condition: str) -> Path:
    return run.stage_folder(condition) / "adapter"


def _section(run: Run, *names: str) -> dict[str, Any]:
    whole = run.config.model_dump(mode="json")
    return {name: whole[name] for name in names}


def _training(run: Run, own: str) -> dict[str, Any]:
    """The training section without the other steps' settings; those reach it as its input.

    Nor the launcher: over how many processes a step was spread is noted with its choices, and a
    trained adapter is as good for a later command without it.
    """
    whole = _section(run, "model", "training")
    others = {SFT, DPO, ROUNDS, "launcher"} - ({DPO, ROUNDS} if own == ROUNDS else {own})
    whole["training"] = {k: v for k, v in whole["training"].items() if k not in others}
    return whole


def _build_data(run: Run, out: Path, progress: Progress) -> None:
    from tooldrill.data.sets.build import build

    build(run.config.data, out, progress)


def _check_sft(run: Run) -> None:
    from tooldrill.training.setup import require_possible

    require_possible(run.config.training, run.config.training.sft)


def _check_dpo(run: Run) -> None:
    from tooldrill.training.setup import require_possible

    require_possible(run.config.training, run.config.training.dpo)


def _train_sft(run: Run, out: Path, progress: Progress) -> None:
    from tooldrill.training.jobs import Job, run_job

    config = run.config
    data = _data_file(run, SFT)
    run_job(
        Job(step=SFT, model=config.model, training=config.training, data=data, out=out), progress
    )


def _train_dpo(run: Run, out: Path, progress: Progress) -> None:
    from tooldrill.training.jobs import Job, run_job

    config = run.config
    job = Job(
        step=DPO,
        model=config.model,
        training=config.training,
        data=_data_file(run, DPO),
        out=out,
        sft_adapter=_adapter(run, SFT),
    )
    run_job(job, progress)


def _run_rounds(run: Run, out: Path, progress: Progress) -> None:
    from tooldrill.rounds_stage import run_rounds

    run_rounds(run, _adapter(run, DPO), out, progress)


def _export(run: Run, out: Path, progress: Progress) -> None:
    from tooldrill.export_stage import export_all

    export_all(run, conditions(run), out, progress)


def _evaluate(run: Run, out: Path, progress: Progress) -> None:
    from tooldrill.eval_stage import evaluate_all

    evaluate_all(run, out, progress)


def _report(run: Run, out: Path, progress: Progress) -> None:
    from tooldrill.report_stage import report_all

    report_all(run, conditions(run), recorded(STAGES, run), out, progress)


def _export_inputs(run: Run) -> dict[str, list[Path]]:
    inputs = {name: [_adapter(run, name)] for name in conditions(run) if name != BASE}
    return {"": model_files(run), **inputs}


def _eval_inputs(run: Run) -> dict[str, list[Path]]:
    settings = run.config.eval
    baselines = [Path(b.gguf).expanduser() for b in settings.baselines if b.gguf is not None]
    own = [gguf_path(run, name, settings.quantization) for name in conditions(run)]
    varied = {cell.settings.quantization for cell in cells(settings)} - {settings.quantization}
    own += [gguf_path(run, conditions(run)[-1], quantization) for quantization in sorted(varied)]
    return {"": baselines, "export": own}


STAGES: Sequence[Stage] = (
    Stage(
        name="data",
        command="tooldrill data build",
        config=lambda run: _section(run, "data"),
        inputs=lambda run: {"": _extra_files(run)},
        work=_build_data,
        seed=lambda run: run.config.data.seed,
    ),
    Stage(
        name=SFT,
        command="tooldrill train sft",
        config=lambda run: _training(run, SFT),
        inputs=lambda run: {
            "": model_files(run),
            "data": [_data_file(run, SFT)],
        },
        work=_train_sft,
        check=_check_sft,
        seed=lambda run: run.config.training.sft.seed,
        enabled=lambda run: run.config.training.sft.enabled,
    ),
    Stage(
        name=DPO,
        command="tooldrill train dpo",
        config=lambda run: _training(run, DPO),
        inputs=lambda run: {
            "": model_files(run),
            "data": [_data_file(run, DPO)],
            SFT: [_adapter(run, SFT)],
        },
        work=_train_dpo,
        check=_check_dpo,
        seed=lambda run: run.config.training.dpo.seed,
        enabled=lambda run: run.config.training.dpo.enabled,
    ),
    Stage(
        name=ROUNDS,
        command="tooldrill train rounds",
        config=lambda run: {
            **_training(run, ROUNDS),
            **_section(run, "data"),
            "eval": run.config.eval.model_dump(
                mode="json", include={"loop", "engine", "quantization"}
            ),
        },
        inputs=lambda run: {
            "": model_files(run),
            "data": [run.stage_folder("data") / "dpo.jsonl"],
            DPO: [_adapter(run, DPO)],
        },
        work=_run_rounds,
        check=_check_dpo,
        seed=lambda run: run.config.data.seed,
        enabled=lambda run: ROUNDS in conditions(run),
    ),
    Stage(
        name="export",
        command="tooldrill export",
        config=lambda run: {
            **_section(run, "model", "export"),
            "quantization": run.config.eval.quantization,
        },
        inputs=_export_inputs,
        work=_export,
        keeps=True,
    ),
    Stage(
        name="eval",
        command="tooldrill eval",
        config=lambda run: _section(run, "eval"),
        inputs=_eval_inputs,
        work=_evaluate,
        seed=lambda run: run.config.eval.seed,
    ),
    Stage(
        name="report",
        command="tooldrill report",
        config=lambda run: _section(run, "name"),
        inputs=lambda run: {"eval": all_result_files(run)},
        work=_report,
    ),
)
