"""Skills folders: read without running anything in them; errors say which file and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.sources.skills.folder import skills_registry
from tooldrill.agent.sources.skills.readme import first_prose_line


def make_skill(folder: Path, name: str, code: str | bytes, readme: str | None = None) -> Path:
    skill = folder / name
    skill.mkdir(parents=True)
    content = textwrap.dedent(code).encode() if isinstance(code, str) else code
    (skill / "skill.py").write_bytes(content)
    if readme is not None:
        (skill / "README.md").write_text(readme, "utf-8")
    return skill


# Every place where Python runs something while it loads a file.
HOSTILE = '''
import os, sys
import sibling
from .helper import Thing
from pydantic import BaseModel, Field
from enum import Enum
TOUCH
os.system("touch TRACE")

def mark(*args, **kwargs):
    TOUCH
    return lambda function: function

class Meta(type):
    def __new__(cls, *args): TOUCH

class Own(metaclass=Meta):
    x: int = mark()

class Model(BaseModel, **mark()):
    TOUCH
    y: int = TOUCH
    z: "TOUCH" = Field(default_factory=lambda: TOUCH, alias=TOUCH)

class Described(str):
    TOUCH
    def __init_subclass__(cls): TOUCH
    def __set_name__(self, *args): TOUCH

class Sub(Described, key=TOUCH):
    s: Described = Described()

class Color(Enum):
    RED = TOUCH
    def __new__(cls, value): TOUCH

@mark(TOUCH)
def tool(
    a: TOUCH, b: "TOUCH", c: mark(), d: list[mark()], own: Own, model: Model = Model(),
    sub: Sub = "s", e=open("TRACE", "w"), f=mark(), g: int = TOUCH, h=(lambda: TOUCH)(),
    i=f"{TOUCH}", j=[TOUCH for _ in "x"], k=os.system("touch TRACE"), l: Thing = Thing(),
    m=eval("TOUCH"), n: Color = Color.RED, o="{}".format(TOUCH), p=mark.__globals__,
    q=sys.modules, r=print("x"), s: Field(TOUCH) = 1, t=TOUCH if TOUCH else 1, u=1 + TOUCH,
) -> TOUCH:
    """Looks harmless."""
    TOUCH

TOUCH
raise RuntimeError("imported")
'''


def test_nothing_in_the_folder_is_executed(tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    touch = f"__import__('pathlib').Path('{trace}').touch()"
    skill = make_skill(
        tmp_path / "skills", "tool", HOSTILE.replace("TOUCH", touch).replace("TRACE", str(trace))
    )
    for name in ("helper.py", "sibling.py", "__init__.py", "conftest.py"):
        (skill / name).write_text(touch, "utf-8")
    before = set(sys.modules)
    tool = skills_registry(tmp_path / "skills")["tool"]
    assert not trace.exists()
    assert not {m for m in set(sys.modules) - before if m in ("helper", "sibling", "skill")}
    assert tool.description == "Looks harmless."
    assert [p.name for p in tool.parameters if p.required] == ["a", "b", "c", "d", "own"]
    assert len(tool.parameters) > 20
    # Were it run, it would have been seen.
    done = subprocess.run([sys.executable, skill / "sibling.py"], check=False)
    assert done.returncode == 0 and trace.exists()


def test_reading_imports_nothing_that_the_file_imports(tmp_path: Path) -> None:
    make_skill(tmp_path, "tool", "import this, torch\ndef tool(x: torch.Tensor = this.s): ...")
    code = (
        "import sys; from pathlib import Path\n"
        "from tooldrill.agent.sources.skills.folder import skills_registry\n"
        f"print(skills_registry(Path({str(tmp_path)!r})).names)\n"
        "print([m for m in ('this', 'torch', 'skill', 'tool') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["('tool',)", "[]"]


def test_names_order_and_what_is_passed_over(tmp_path: Path) -> None:
    code = "async def {}(x: int) -> None:\n    'Does it.'\n"
    make_skill(tmp_path, "write-file", code.format("write_file"), "# Write\n\nWrites a *file*.\n")
    make_skill(tmp_path, "append", code.format("append"), "# Only a title\n")
    make_skill(tmp_path, "_draft", "syntax error")
    make_skill(tmp_path, ".hidden", "syntax error")
    (tmp_path / "assets" / "deeper").mkdir(parents=True)
    (tmp_path / "assets" / "a.txt").write_text("x", "utf-8")
    (tmp_path / "README.md").write_text("All tools.", "utf-8")
    (tmp_path / "notes.py").write_text("raise SystemExit", "utf-8")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "assets" / "up").symlink_to(tmp_path.parent)
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    (tmp_path / "linked").symlink_to(make_skill(tmp_path / "_far", "x", code.format("linked")))
    registry = skills_registry(tmp_path)
    assert registry.names == ("append", "linked", "write_file")
    assert [t.description for t in registry] == ["Does it.", "Does it.", "Writes a file."]


def test_files_keep_their_encoding_and_line_ends(tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\r\ndef tool(a='\xe9'):\r\n    '''Caf\xe9.'''\r\n"
    skill = make_skill(tmp_path, "tool", text.encode("latin-1"))
    (skill / "README.md").write_bytes("\ufeff# T\r\n\r\nTh\xe9.\r\n".encode())
    tool = skills_registry(tmp_path)["tool"]
    assert (tool.description, tool.parameters[0].default) == ("Th\xe9.", "\xe9")
    (skill / "README.md").unlink()
    assert skills_registry(tmp_path)["tool"].description == "Caf\xe9."


def _with_code(code: str | bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        make_skill(folder, "tool", code)

    return make


def _with_file(name: str, content: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    return make


def _without_folder(folder: Path) -> None:
    folder.rmdir()


def _link_to_itself(folder: Path) -> None:
    (folder / "tool").mkdir()
    (folder / "tool" / "skill.py").symlink_to(folder / "tool" / "skill.py")


def _undecodable_readme(folder: Path) -> None:
    (make_skill(folder, "tool", "def tool(): ...") / "README.md").write_bytes(b"\xff\xfe\x00")


def _twice(folder: Path) -> None:
    make_skill(folder, "a-b", "def a_b(): ...")
    make_skill(folder, "a_b", "def a_b(): ...")


_CALLABLE = "from typing import Callable\ndef tool(f: Callable[[], int]): ..."

# Python parses what is quoted only when it is asked to: this much of it still parses.
_DEEP = f"def tool(x: '{'list[' * 150}int{']' * 150}', y: '{' | '.join(['int'] * 2_000)}'): ..."


@pytest.mark.parametrize(
    ("make", "message", "next_step"),
    [
        (_without_folder, "no folder at {dir}", "path"),
        (lambda folder: None, "no tool in {dir}", "sub-folder"),
        (_with_file("skill.py", b"def x(): ..."), "no tool in {dir}", "itself a skill"),
        (_with_file("tool/Readme.md", b"Text."), "{dir}/tool has no skill.py", "_tool"),
        (_with_file("tool/tool.py", b"x = 1"), "{dir}/tool has no skill.py", "_tool"),
        (_link_to_itself, "{dir}/tool has no skill.py", "_tool"),
        (_with_code("x = 1\ndef tool(:\n"), "{dir}/tool/skill.py:2: does not parse", "py_compile"),
        (_with_code("x = 1\n  def tool(): ..."), "{dir}/tool/skill.py", "py_compile"),
        (_with_code("def tol(): ...\nclass tool: ..."), "{dir}/tool/skill.py defines no", "'tool'"),
        (_with_code("from x import tool"), "{dir}/tool/skill.py defines no", "'tool'"),
        (_with_code(b"def tool(): '\xff'"), "{dir}/tool/skill.py cannot be decoded", "UTF-8"),
        (_with_code(b"# coding: klingon\n"), "{dir}/tool/skill.py cannot be decoded", "UTF-8"),
        (_undecodable_readme, "{dir}/tool/README.md cannot be decoded", "UTF-8"),
        (_with_code(b"def tool(): ...\x00"), "{dir}/tool/skill.py", "py_compile"),
        (_with_code(f"def tool(x={'-' * 5_000}1): ..."), "{dir}/tool/skill.py has an", "split"),
        (
            _with_code(f"def tool(x={'+'.join('1' * 5_000)}): ..."),
            "{dir}/tool/skill.py has an",
            "split",
        ),
        (_with_code(_DEEP), "{dir}/tool/skill.py has an", "split"),
        (_with_code(f"def tool(x={'(' * 5_000}): ..."), "{dir}/tool/skill.py", "py_compile"),
        (_with_code(_CALLABLE), "{dir}/tool/skill.py:2: tool 'tool'", "JSON type"),
        (_twice, "{dir}/a-b and {dir}/a_b", "rename"),
    ],
)
def test_errors_name_the_file_and_what_to_do(
    tmp_path: Path, make: Callable[[Path], None], message: str, next_step: str
) -> None:
    make(tmp_path)
    with pytest.raises(TooldrillError) as caught:
        skills_registry(tmp_path)
    assert caught.value.message.startswith(message.format(dir=tmp_path))
    assert next_step in caught.value.next_step
    assert "\n" not in caught.value.message + caught.value.next_step


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_are_told(tmp_path: Path) -> None:
    (make_skill(tmp_path, "tool", "def tool(): ...") / "skill.py").chmod(0)
    with pytest.raises(TooldrillError, match=r"skill\.py cannot be read"):
        skills_registry(tmp_path)


@pytest.mark.parametrize(
    ("readme", "line"),
    [
        ("Reads a file.\nAnd more.", "Reads a file."),
        ("---\ntitle: x\n---\n\n# Title\n\nText.", "Text."),
        ("+++\nx = 1\n+++\nText.", "Text."),
        ("---\n\nText.", "Text."),
        ("Title\n=====\n\nOther\n-----\nText.", "Text."),
        ("[![ci](a.svg)](b) ![x](y)\n\nText.", "Text."),
        ("![x](y)\nText.", "Text."),
        ("<!-- a\n\ncomment -->\n\nText.", "Text."),
        ("<h1 align=center>T</h1>\n\n<p align=center>\n<img src=x>\n</p>\n\nText.", "Text."),
        ("<p align='center'>\n  A &amp; <b>B</b>.\n</p>", "A & B."),
        ("<a name='x'></a>\nText.", "Text."),
        ("```sh\nnot this\n```\n\n    nor this\n\n~~~\nnor\n~~~\nText.", "Text."),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nText.", "Text."),
        ("- item\n\n  more of it\n\n1. one\n\n---\n\nText.", "Text."),
        ("> [!NOTE]\n> A tagline.", "A tagline."),
        ("[ref]: http://x\n\nText.", "Text."),
        ('**Bold**, _it_ and `f(x)`: [a link](http://x "t") <br> \\*end\\*.',
         "Bold, it and f(x): a link *end*."),
        ("A <span>tag</span> and <http://x.y> &lt;b&gt; ~~old~~.", "A tag and http://x.y <b> old."),
        ("Use [this][ref] ![badge](x).\n\n[ref]: http://x", "Use this ."),
        ("# Title\n\n---\n***\n", ""),
        ("", ""),
        ("<!-- never closed\nText.", ""),
    ],
)  # fmt: skip
def test_first_prose_line(readme: str, line: str) -> None:
    assert first_prose_line(readme) == line
    assert first_prose_line(readme.replace("\n", "\r\n")) == line
