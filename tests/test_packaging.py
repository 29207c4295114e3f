"""The wheel holds every package and every file that the code reads."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
MAPPED: dict[str, str] = SETTINGS["package-dir"]
READ = {".jinja", ".html", ".css", ".js", ".yaml", ".md"}


def modules(package: str) -> list[Path]:
    """The files of a mapped folder; links to other stages (see `make setup`) are left out."""
    folder = ROOT / MAPPED[package]
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and not any(parent.is_symlink() for parent in path.parents if parent != folder)
    ]


def found_packages() -> set[str]:
    found = set()
    for package, mapped in MAPPED.items():
        folder = ROOT / mapped
        for path in modules(package):
            if path.name == "__init__.py":
                inside = path.parent.relative_to(folder).parts
                found.add(".".join((package, *inside)))
    return found


def test_every_package_is_listed() -> None:
    listed = SETTINGS["packages"]
    assert len(listed) == len(set(listed))
    assert set(listed) == found_packages()


def test_every_module_lies_in_a_package() -> None:
    stray = [
        path.relative_to(ROOT)
        for package in MAPPED
        for path in modules(package)
        if path.suffix == ".py" and not (path.parent / "__init__.py").is_file()
    ]
    assert not stray


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    # Built from a copy: setuptools leaves build/ and an egg-info where it works.
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    for package, folder in MAPPED.items():
        for path in modules(package):
            target = source / folder / path.relative_to(ROOT / folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet",
         "--wheel-dir", str(out), str(source)],
        check=True,
    )  # fmt: skip
    (wheel,) = out.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_everything(wheel_names: set[str]) -> None:
    expected = set()
    for package, folder in MAPPED.items():
        for path in modules(package):
            if path.suffix == ".py" or path.suffix in READ or path.name == "py.typed":
                inside = path.relative_to(ROOT / folder).as_posix()
                expected.add(f"{package.replace('.', '/')}/{inside}")
    assert "tooldrill/agent/templates/tooldrill-chatml.jinja" in expected
    assert "tooldrill/py.typed" in expected
    assert expected <= wheel_names, sorted(expected - wheel_names)


def test_the_wheel_holds_nothing_else(wheel_names: set[str]) -> None:
    outside = [
        name
        for name in wheel_names
        if not name.startswith("tooldrill/") and ".dist-info/" not in name
    ]
    assert not outside
    assert any(name.endswith("entry_points.txt") for name in wheel_names)
