"""`python:` sources: which functions are tools, under which names, and what is told else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.sources.catalog import load_source
from tooldrill.agent.sources.python import load_functions, python_registry

MODULE = '''
import functools
import json
from os.path import join
from typing import NewType

UserId = NewType("UserId", int)
Rows = list[int]
VERSION = "1.0"

def public(a: int) -> int:
    """One."""
    return a

async def later(b: str) -> str:
    """Two."""
    return b

@functools.cache
def cached(n: int) -> int:
    """Three."""
    return n

def _private(): ...

class Tools:
    """Some tools."""
    touched = []

    def zoom(self, factor: float) -> float:
        """Zooms."""
        return factor

    @property
    def state(self):
        Tools.touched.append("state")

    @functools.cached_property
    def costly(self):
        Tools.touched.append("costly")

    @staticmethod
    def align(left: bool) -> bool:
        """Aligns."""
        return left

class MoreTools(Tools, dict):
    def crop(self, x: int) -> int:
        """Crops."""
        return x

    def zoom(self, factor: float, smooth: bool = False) -> float:
        """Zooms better."""
        return factor * 2

class Greeter:
    """Greets."""
    def __call__(self, name: str) -> str:
        """Says hello."""
        return f"hello {name}"

tools = Tools()
more = MoreTools()
hello = Greeter()
greet = functools.partial(public, 3)
joined = functools.partial(join, "a")
'''


@pytest.fixture(autouse=True)
def _clean_imports(tmp_path: Path) -> Iterator[None]:
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_tools.py"
    path.write_text(MODULE)
    return path


def error_of(target: str) -> TooldrillError:
    with pytest.raises(TooldrillError) as caught:
        python_registry(target)
    assert "\n" not in caught.value.message
    assert caught.value.next_step
    return caught.value


def test_without_names_the_modules_own_functions(file: Path) -> None:
    assert list(load_functions(str(file))) == ["public", "later", "cached", "hello", "greet"]


@pytest.mark.parametrize(
    ("names", "tools"),
    [
        ("later", ("later",)),
        ("later,public", ("later", "public")),
        ("tools", ("zoom", "align")),
        ("more", ("zoom", "align", "crop")),
        ("more.crop,tools.align", ("crop", "align")),
        ("Tools.align", ("align",)),
        ("joined,hello,_private", ("joined", "hello", "_private")),
    ],
)
def test_names(file: Path, names: str, tools: tuple[str, ...]) -> None:
    assert python_registry(f"{file}:{names}").names == tools


def test_methods_are_bound_and_properties_left_alone(file: Path) -> None:
    functions = load_functions(f"{file}:more")
    environment = FunctionEnvironment(functions)
    assert [p.name for p in environment.registry["zoom"].parameters] == ["factor", "smooth"]
    assert environment.call("zoom", {"factor": 1.5}).text == "3.0"
    assert environment.call("align", {"left": True}).text == "true"
    (module,) = [m for name, m in sys.modules.items() if "my_tools" in name]
    assert module.Tools.touched == []


def test_a_saved_registry_loads_back_equal(file: Path, tmp_path: Path) -> None:
    registry = load_source(f"python:{file}")
    registry.save(tmp_path / "saved.json")
    assert load_source(f"openai:{tmp_path / 'saved.json'}") == registry


@pytest.mark.parametrize("source", ["nonsense", "nonsense:x", "python:", "mcp:", ""])
def test_sources_of_no_known_form(source: str) -> None:
    with pytest.raises(TooldrillError, match="no tool source") as caught:
        load_source(source)
    assert "python:MODULE" in caught.value.next_step


def test_a_partial_is_described_by_its_function(file: Path) -> None:
    tool = python_registry(str(file))["greet"]
    assert (tool.description, tool.parameters) == ("One.", ())


@pytest.mark.parametrize(
    ("names", "message", "next_step"),
    [
        ("nothing", "has no function nothing", "public functions there: public, later"),
        ("tools.nothing", "has no tools.nothing", "methods of tools: zoom, align"),
        ("Tools", "Tools is a class", "tools = Tools(...)"),
        ("Tools.zoom", "Tools is a class", "tools = Tools(...)"),
        ("VERSION", "VERSION is a str, which has no public methods", "name a function"),
        ("json", "json is a module", "python:json"),
        ("tools,more", "two tools are named 'zoom'", "rename"),
    ],
)
def test_names_that_are_no_tools(file: Path, names: str, message: str, next_step: str) -> None:
    error = error_of(f"{file}:{names}")
    assert message in error.message
    assert next_step in error.next_step


def test_c_functions_are_offered_where_their_parameters_are_known() -> None:
    names = python_registry("math").names
    assert {"sqrt", "pow", "isqrt"} <= set(names)
    assert "log" not in names
    assert "no signature" in error_of("math:log").message


def test_all_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "exporting_pkg"
    package.mkdir()
    (package / "inner.py").write_text('def deep(x: int) -> int:\n    """Deep."""\n    return x\n')
    (package / "__init__.py").write_text(
        'from .inner import deep\nclass C: ...\ndef own() -> None: ...\n__all__ = ["deep", "C"]\n'
    )
    monkeypatch.chdir(tmp_path)
    assert python_registry("exporting_pkg").names == ("deep",)
    # By its file too, though that is not how a package is imported.
    assert python_registry(f"{package / '__init__.py'}").names == ("deep",)
    (package / "inner.py").with_name("bad.py").write_text('__all__ = ["gone"]\n')
    assert "__all__" in error_of("exporting_pkg.bad").message


def test_the_working_folder_and_siblings_are_importable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sibling_of_source.py").write_text("FACTOR = 7\n")
    (tmp_path / "main_source.py").write_text(
        "from sibling_of_source import FACTOR\n"
        "def times(n: int) -> int:\n"
        "    import late_sibling\n"
        "    return n * FACTOR + late_sibling.MORE\n"
    )
    (tmp_path / "late_sibling.py").write_text("MORE = 1\n")
    functions = load_functions(str(tmp_path / "main_source.py"))
    assert functions["times"](2) == 15
    # What tooldrill imports later must not be found here.
    assert sys.path[0] != str(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert python_registry("main_source").names == ("times",)


def test_a_file_may_be_called_like_a_module(tmp_path: Path) -> None:
    import json

    (tmp_path / "json.py").write_text(
        "import json\ndef mine(x: int) -> str:\n    return json.dumps(x)\n"
    )
    functions = load_functions(str(tmp_path / "json.py"))
    assert functions["mine"](1) == "1"
    assert sys.modules["json"] is json


def test_dataclasses_and_forward_hints_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "hinted.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Tree:\n    children: list[Tree]\n"
        "def plant(tree: Tree) -> None: ...\n"
    )
    assert python_registry(str(path))["plant"].parameters[0].required


def test_what_a_module_prints_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chatty.py"
    path.write_text('print("loading")\ndef f() -> None: ...\n')
    load_functions(str(path))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "loading\n")


@pytest.mark.parametrize(
    ("code", "message", "next_step"),
    [
        ("raise SystemExit(4)", "exits while it is imported (status 4)", "__main__"),
        ("import no_such_dependency", "it needs the module no_such_dependency", "pip install"),
        ("from . import x", "imports from its own package", "python:package.module"),
        ("def f(:\n", "SyntaxError", "see that this runs: python "),
        ("1 / 0", "ZeroDivisionError: division by zero", "see that this runs: python "),
        ("X = 1", "defines no public function", "name imported ones"),
    ],
)
def test_a_file_that_cannot_be_used(
    tmp_path: Path, code: str, message: str, next_step: str
) -> None:
    path = tmp_path / "unusable.py"
    path.write_text(code + "\n")
    error = error_of(str(path))
    assert message in error.message
    assert next_step in error.next_step
    assert any("unusable" in name for name in sys.modules) == (code == "X = 1")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module_anywhere", "there is no module no_such_module_anywhere"),
        ("json.no_such_part", "there is no module json.no_such_part"),
        ("missing.py", "no Python file"),
        ("some/folder", "neither a module nor a Python file"),
        ("..", "neither a module nor a Python file"),
    ],
)
def test_targets_that_are_not_there(target: str, message: str) -> None:
    assert message in error_of(target).message


def test_from_the_command_line(tmp_path: Path, file: Path) -> None:
    """Only the tools on stdout, in a process of its own, from the folder of the module."""
    file.write_text('print("hi")\n' + MODULE)
    code = "from tooldrill.cli.main import main; main(['tools', 'python:my_tools:tools'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "hi" in done.stderr.split()
    assert [line.split("(")[0] for line in done.stdout.splitlines() if line] == ["zoom", "align"]
