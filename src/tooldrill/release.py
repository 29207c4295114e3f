"""The release of a run: its final model in one folder, with everything that is known of it.

Cheap, as large files are linked and not copied: it is made anew whenever something that it tells of
has changed. What the folder holds is decided by `export.release`, what the cards say of this run is
gathered by `release_facts`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress
from tooldrill.config import RunConfig, dump_resolved
from tooldrill.export.records import ExportSummary
from tooldrill.export.release.build import ADAPTER_CONFIG, build_release
from tooldrill.export.release.facts import Release, read_provenance
from tooldrill.export.release.folder import require_ours
from tooldrill.export.release.names import safe_name
from tooldrill.layout import BASE, conditions
from tooldrill.lock import locked
from tooldrill.pipeline import Run, Stage, recorded
from tooldrill.stages import STAGES, model_files

SHIPPED = "shipped"
_RELEASE = "release"


def release_folder(run: Run, adapter: Path | None = None) -> Path:
    """Where the release of a run lies, or that of an adapter which was trained elsewhere."""
    return run.folder / (_RELEASE if adapter is None else f"{_RELEASE}-{_stem(adapter)}")


def is_exported(run: Run) -> bool:
    """Whether the run's export stage is whole."""
    return "export" in recorded(STAGES, run)


def release_run(run: Run, out: Path | None = None) -> Path:
    """Makes the release of what the run has exported, and returns its folder.

    Args:
        out: in the place of the run's own folder.

    Raises:
        TooldrillError: when nothing is exported, or `out` holds something else.
    """
    # The evaluation's statistics take seconds to import, and an adapter's release needs none.
    from tooldrill.release_facts import gathered_facts

    if not is_exported(run):
        raise TooldrillError(
            f"nothing is exported in {run.folder}", f"run `tooldrill export {run.arguments}` first"
        )
    final = conditions(run)[-1]
    folder = run.stage_folder("export") / final
    summary = _summary(folder)
    release = Release(
        summary=summary,
        folder=folder,
        model=run.config.model,
        adapter=None if final == BASE else run.stage_folder(final) / "adapter",
        config=dump_resolved(public_config(recorded_config(run))),
        provenance=gathered_facts(run, summary),
    )
    return _make(run, out or release_folder(run), release)


def release_adapter(run: Run, adapter: Path, out: Path | None = None) -> Path:
    """The same for an adapter that was trained elsewhere, after its `adapter_stage`.

    The cards tell what the adapter's folder tells of itself.
    """
    folder = run.stage_folder(adapter_stage(adapter).name)
    release = Release(
        summary=_summary(folder),
        folder=folder,
        model=run.config.model,
        adapter=adapter,
        config=dump_resolved(public_config(run.config)),
        provenance=read_provenance(adapter),
    )
    return _make(run, out or release_folder(run, adapter), release)


def recorded_config(run: Run) -> RunConfig:
    """The config that made what lies there: the file may have been changed since.

    Where a stage was run by an older tooldrill whose settings are no longer valid, the file's.
    """
    tree = run.config.model_dump(mode="json")
    for manifest in recorded(STAGES, run).values():
        for section, values in manifest.config.items():
            if section == "training":
                tree[section] |= values
            elif section in ("model", "data", "export", "eval") and manifest.stage != "rounds":
                tree[section] = values
    try:
        return RunConfig.model_validate(tree)
    except ValidationError:
        return run.config


def public_config(config: RunConfig) -> RunConfig:
    """Without where this machine keeps its runs, so that it makes the same anywhere."""
    return config.model_copy(update={"runs": RunConfig.model_fields["runs"].default})


def adapter_stage(adapter: Path) -> Stage:
    """The export of an adapter that was trained elsewhere, as a stage of its own."""

    def work(run: Run, out: Path, progress: Progress) -> None:
        from tooldrill.export.run import export_model

        export_model(run.config.model, adapter, run.config.export, None, out, progress)

    return Stage(
        name=f"export-{_stem(adapter)}",
        command=f"tooldrill export --adapter {adapter}",
        config=lambda run: run.config.model_dump(mode="json", include={"model", "export"}),
        inputs=lambda run: {"": [*model_files(run), adapter]},
        work=work,
    )


def find_adapter(run: Run, named: str) -> Path:
    """The PEFT folder that `--adapter` names; `shipped` is `adapters/NAME` beside `NAME.yaml`.

    Raises:
        TooldrillError: when there is no adapter.
    """
    if named == SHIPPED:
        shipped = run.config_path.parent / "adapters" / run.config_path.stem
        if (shipped / ADAPTER_CONFIG).is_file():
            return shipped
        raise TooldrillError(
            f"no adapter is shipped for {run.config_path}: there is none in {shipped}",
            f"train one: tooldrill run {run.arguments}; or name a PEFT folder: --adapter DIR",
        )
    folder = Path(named).expanduser()
    if not (folder / ADAPTER_CONFIG).is_file():
        raise TooldrillError(
            f"--adapter: no adapter in {folder}: {ADAPTER_CONFIG} is missing",
            f"name a folder that PEFT has saved, or `{SHIPPED}`",
        )
    return folder


def _make(run: Run, out: Path, release: Release) -> Path:
    if out.parent != run.folder:
        require_ours(out)
    with locked(run.folder):
        build_release(release, out)
    return out


def _summary(folder: Path) -> ExportSummary:
    return ExportSummary.model_validate_json((folder / "export.json").read_bytes())


def _stem(adapter: Path) -> str:
    """A short name for an adapter's folder; `run/dpo/adapter` says nothing by its last part."""
    path = adapter.resolve()
    return safe_name(path.parent.name if path.name == "adapter" else path.name)
