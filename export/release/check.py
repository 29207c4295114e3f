"""Whether a release is whole and its files are what its sums say, before it goes anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import ModelCard

from tooldrill.agent.hashing import sha256_file
from tooldrill.agent.progress import Progress, silent
from tooldrill.export.release.build import PAGES
from tooldrill.export.release.folder import SUMS, read_sums


@dataclass(frozen=True)
class Checked:
    """What was found in a release.

    Attributes:
        files: name and bytes, in order; those that the sums name, and the sums.
        problems: why it should not be passed on; warnings: what its owner should know.
    """

    files: list[tuple[str, int]]
    problems: list[str]
    warnings: list[str]


def check_release(folder: Path, progress: Progress = silent) -> Checked:
    """Reads every file of a release."""
    sums = read_sums(folder)
    if sums is None:
        return Checked([], [f"{folder} is no whole release: it has no {SUMS}"], [])
    names = sorted({*sums, SUMS})
    files = [(name, (folder / name).stat().st_size) for name in names if (folder / name).is_file()]
    problems = [*_missing(sums), *_broken(folder, sums, progress)]
    return Checked(files, problems, [*_warnings(folder, problems)])


def _missing(sums: dict[str, str]) -> Iterator[str]:
    yield from (f"{name} is not in it" for name in PAGES if name not in sums)
    if not any(name.endswith(".gguf") for name in sums):
        yield "there is no GGUF file in it"


def _broken(folder: Path, sums: dict[str, str], progress: Progress) -> Iterator[str]:
    for number, (name, expected) in enumerate(sums.items(), 1):
        if not (folder / name).is_file():
            yield f"{name} is missing"
        elif sha256_file(folder / name) != expected:
            yield f"{name} is not what {SUMS} says"
        progress(number, len(sums), name)


def _warnings(folder: Path, problems: list[str]) -> Iterator[str]:
    if problems:
        return
    card = ModelCard((folder / "README.md").read_text("utf-8")).data
    if card.get("license") is None:
        yield "the licence of the base model is not known; the card says so"
    if card.get("base_model") is None:
        yield "the base model has no name on the hub; the card does not link to one"
    for line in (folder / "config.yaml").read_text("utf-8").splitlines():
        key, _, value = line.strip().removeprefix("- ").partition(": ")
        if value.strip("'\"").startswith(("/", "~")):
            yield f"config.yaml names a path of this machine: {key}: {value}"
