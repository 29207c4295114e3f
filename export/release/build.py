"""Putting a release together: which files, under which names, with which pages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.records import ExportSummary
from tooldrill.export.release.base_facts import BaseFacts, base_facts
from tooldrill.export.release.cards import adapter_card, data_card, model_card, preferred
from tooldrill.export.release.facts import FACTS_FILE, Release
from tooldrill.export.release.folder import Linked, write_folder
from tooldrill.export.release.modelfile import modelfile
from tooldrill.export.release.names import safe_name
from tooldrill.export.release.served import served_model

# A release without one of these is not whole.
PAGES = ("README.md", "Modelfile", "config.yaml", "verification.json", "chat_template.jinja")
# As PEFT names them.
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def build_release(release: Release, out: Path) -> bool:
    """Makes the folder; False when it was up to date already.

    Raises:
        TooldrillError: when a file of the export or the adapter is missing or broken.
    """
    return write_folder(out, dict(_contents(release)))


def _contents(release: Release) -> Iterator[tuple[str, str | Linked]]:
    summary, provenance = release.summary, release.provenance
    names = {file.file: safe_name(file.file) for file in summary.files}
    base = base_facts(release.model)
    for file in summary.files:
        yield names[file.file], Linked(_present(release.folder / file.file), file.sha256)
    main = preferred(summary)
    served = served_model(release.folder / main.file)
    lora = summary.adapter_gguf
    if lora is not None:
        names[lora.file] = safe_name(lora.file)
        yield names[lora.file], Linked(_present(release.folder / lora.file), lora.sha256)
    if release.adapter is not None:
        yield from _adapter(release, release.adapter, base)
    yield (
        "README.md",
        model_card(
            summary, base, served, provenance, names=names, adapter=release.adapter is not None
        ),
    )
    yield "Modelfile", modelfile(names[main.file], served, base)
    yield "chat_template.jinja", served.template
    yield "config.yaml", release.config
    yield "verification.json", _verification(summary, names)
    if provenance.data is not None:
        yield "DATA.md", data_card(provenance.data)
    if provenance.measured is not None:
        yield "results.json", _json(provenance.measured.results)


def _adapter(release: Release, folder: Path, base: BaseFacts) -> Iterator[tuple[str, str | Linked]]:
    yield f"adapter/{ADAPTER_WEIGHTS}", Linked(_present(folder / ADAPTER_WEIGHTS))
    yield f"adapter/{ADAPTER_CONFIG}", _adapter_config(folder / ADAPTER_CONFIG, base)
    yield "adapter/README.md", adapter_card(release.summary, base, release.provenance)
    yield f"adapter/{FACTS_FILE}", release.provenance.model_dump_json(indent=1) + "\n"


def _adapter_config(path: Path, base: BaseFacts) -> str:
    """PEFT's own, with the base by its public name: training has noted a path of this machine."""
    try:
        config = json.loads(_present(path).read_text("utf-8"))
        return _json({**config, "base_model_name_or_path": base.public_name})
    except (ValueError, TypeError) as error:
        raise TooldrillError(
            f"{path} is no adapter's config: {error}", "train it again: tooldrill train sft CONFIG"
        ) from error


def _verification(summary: ExportSummary, names: Mapping[str, str]) -> str:
    """What the export stage said of its files, without the paths of this machine."""
    told: dict[str, Any] = summary.model_dump(mode="json", exclude={"folder", "adapter", "base"})
    for file in (*told["files"], told["adapter_gguf"]):
        if file is not None:
            file["file"] = names[file["file"]]
    return _json(told)


def _present(path: Path) -> Path:
    if not path.is_file():
        raise TooldrillError(f"{path} is missing", "make it again: tooldrill export CONFIG --force")
    return path


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
