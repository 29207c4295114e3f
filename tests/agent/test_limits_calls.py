"""One call after another: what a tool sees, what it leaves behind, what it cannot pretend."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from limited_tools import Place, Tools, make_place, open_tools

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.limits import landlock, seccomp
from tooldrill.agent.limits.settings import MIB

pytestmark = pytest.mark.skipif(
    not landlock.version() or not seccomp.available(), reason="needs a kernel with Landlock"
)
SECRETS = {
    "SOME_API_KEY": "key",
    "AWS_SECRET_ACCESS_KEY": "key",
    "DATABASE_URL": "postgres://user:key@host",
    "TOOLDRILL_API_KEY": "key",
    "HTTPS_PROXY": "http://user:key@proxy",
    "SSH_AUTH_SOCK": "/run/agent",
}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    place = make_place(tmp_path_factory.mktemp("calls").resolve())
    with open_tools(place, output_chars=1000, memory=512 * MIB) as tools:
        yield tools


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path.resolve())


SEEN = """
pairs = Path('/proc/self/environ').read_text().split('\\0')[:-1]
result = [dict(os.environ), dict(pair.split('=', 1) for pair in pairs)]
"""


def test_keys_are_not_handed_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with open_tools(place) as tools:
        for seen in json.loads(tools.run(SEEN).text):
            assert not seen.keys() & SECRETS.keys()
            assert "key" not in seen.values()
            assert (seen["LC_ALL"], seen["PATH"]) == ("C.UTF-8", os.environ["PATH"])
            assert Path(seen["TMPDIR"]) != Path(os.environ.get("TMPDIR", "/tmp"))
    with open_tools(place, variables=("SOME_API_KEY", "NOT_THERE"), allow_network=True) as tools:
        for seen in json.loads(tools.run(SEEN).text):
            assert seen.keys() & SECRETS.keys() == {"SOME_API_KEY", "HTTPS_PROXY"}


def test_a_call_begins_in_the_workspace_whatever_the_last_one_did(tools: Tools) -> None:
    before = tools.run("mask = os.umask(0); os.umask(mask); result = mask").text
    tools.run("os.chdir('/usr'); os.umask(0o777); signal.setitimer(signal.ITIMER_REAL, 0.3)")
    seen = tools.run("time.sleep(0.6); mask = os.umask(0); result = [os.getcwd(), mask]")
    assert json.loads(seen.text) == [str(tools.place.workspace), int(before)]
    tools.run("os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); raise ValueError")
    assert tools.run("result = os.getcwd()").text == str(tools.place.workspace)


HEADER = "HERE['kept'] = 5\nclass Odd(Exception):\n"
ODD = {
    "a text that raises": (
        f"{HEADER} def __str__(self): raise Odd\nraise Odd",
        "ERROR: Odd, which says nothing that can be shown",
    ),
    "a text that ends the program": (
        f"{HEADER} def __str__(self): sys.exit()\nraise Odd",
        "ERROR: Odd, which says nothing that can be shown",
    ),
    "a text that is none": (
        f"{HEADER} def __str__(self): return 5\nraise Odd",
        "ERROR: Odd, which says nothing that can be shown",
    ),
    "a string of another kind": (
        "class S(str):\n def __len__(self): return -1\n def startswith(self, *_): raise KeyError\n"
        "result = S('plain')",
        "plain",
    ),
    "a list in itself": (
        "result = []; result.append(result)",
        "ERROR: ValueError: Circular reference detected (id repeated)",
    ),
    "a very deep list": (
        "result = []\nfor _ in range(200_000): result = [result]",
        "ERROR: ValueError: Maximum serialization depth exceeded",
    ),
    "a function": ("result = len", '"<built-in function len>"'),
    "no number": ("result = [float('nan'), float('inf')]", "[NaN, Infinity]"),
    "bytes": ("result = bytes([255, 97])", "\ufffda"),
    "stdout closed": ("sys.stdout.close(); os.close(1); result = 1", "1"),
    "stdout gone": ("sys.stdout = sys.stderr = None; result = 1", "1"),
    "a flush that ends the program": (
        "class F:\n def flush(self): sys.exit(3)\nsys.stdout = F(); result = 1",
        "1",
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_odd_results_are_observations_and_state_stays(tools: Tools, what: str) -> None:
    code, text = ODD[what]
    tools.run("HERE['kept'] = 5")
    seen = tools.run(code)
    assert seen == Observation(text, error=text.startswith("ERROR"))
    assert tools.run("result = HERE['kept']").text == "5"


def test_an_endless_result_ends_with_the_memory(tools: Tools) -> None:
    seen = tools.run("import itertools; result = itertools.repeat(1)")
    assert seen.error
    assert tools.run("result = 1").text == "1"


def test_an_exception_without_a_text_is_no_end_of_a_world_either() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise OddError

    def odd() -> str:
        raise OddError

    seen = FunctionEnvironment({"odd": odd}).call("odd", {})
    assert seen == Observation("ERROR: OddError, which says nothing that can be shown", error=True)


FORGED = """
import json, os
def tell(*messages):
    for message in messages:
        body = json.dumps(message).encode()
        for descriptor in range(3, 200):
            try:
                os.write(descriptor, len(body).to_bytes(4, "big") + body)
            except OSError:
                pass
"""


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"tools": 5},
        {"tools": [5]},
        {"tools": [{"tool": {}, "writes": None}]},
        {"tools": [{"tool": {"function": {"name": "no name", "parameters": 5}}, "writes": None}]},
        {"failure": 5},
        {"failure": ["one"]},
    ],
)
def test_what_is_forged_while_tools_are_imported_is_an_error(place: Place, message: dict) -> None:
    place.source.write_text(f"{FORGED}\ntell({message!r})\ndef f() -> str: 'F.'\n")
    with pytest.raises(TooldrillError, match="sent something else than its tools") as caught:
        open_tools(place).__enter__()
    assert caught.value.next_step


def test_an_answer_is_no_longer_than_was_agreed_on(tools: Tools) -> None:
    """The agent would need much more memory than the text for such an answer."""
    message = '{"id": 0, "text": [' + "[]," * 1_000_000 + "[]]}"
    code = f"{FORGED}\nbody = {message!r}.encode()\n" + (
        "for n in range(3, 200):\n"
        " try: os.write(n, len(body).to_bytes(4, 'big') + body)\n except OSError: pass"
    )
    before = psutil.Process().memory_info().rss
    assert tools.run(code).error
    assert psutil.Process().memory_info().rss - before < 40 * MIB
    assert tools.run("result = 2").text == "2"


def test_last_words_are_of_the_call_that_ended(tools: Tools) -> None:
    tools.run("sys.stderr.write('an old warning\\n')")
    seen = tools.run("os.kill(os.getpid(), signal.SIGKILL)")
    assert "SIGKILL" in seen.text
    assert "warning" not in seen.text


def test_a_call_that_was_interrupted_is_not_answered_later(tools: Tools) -> None:
    """Ctrl-C, and then another call: half a request may have been sent."""
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        tools.run("time.sleep(30); result = 'late'", padding="x" * 10_000_000)
    assert tools.run("result = 3").text == "3"


FILL = """
for number in range(100):
    with open(f"{number}.bin", "wb") as file: os.posix_fallocate(file.fileno(), 0, 64 * 2**20)
    time.sleep(0.25)
"""


def test_a_call_that_fills_the_disk_is_stopped(place: Place) -> None:
    disk = os.statvfs(place.workspace)
    with open_tools(place, disk_room=disk.f_bavail * disk.f_frsize - 256 * MIB) as tools:
        seen = tools.run(FILL)
        assert seen.error
        assert seen.text.startswith("ERROR: python: the disk is nearly full; it was stopped, and ")
        written = list(place.workspace.glob("*.bin"))
        assert 0 < len(written) < 50
        # What is there to be removed can be.
        assert not tools.run("for path in Path().glob('*.bin'): path.unlink()").error
    assert not list(place.workspace.glob("*.bin"))


DEEP = """
import tempfile
top = tempfile.mkdtemp()
os.symlink(outside, top + "/way"); os.mkdir(top + "/.0"); Path(top, ".0", "f").touch()
here = os.open(top, os.O_RDONLY)
for _ in range(1500):
    os.mkdir("d", dir_fd=here)
    os.close(os.open("file", os.O_CREAT, dir_fd=here))
    os.symlink(outside, "way2", dir_fd=here)
    below = os.open("d", os.O_RDONLY, dir_fd=here)
    os.close(here)
    here = below
os.fchmod(here, 0); os.chmod(top, 0o500)
result = top
"""


def test_what_a_tool_leaves_in_its_temporary_folder_is_removed(place: Place) -> None:
    before = place.outside_now()
    with open_tools(place) as tools:
        top = Path(tools.run(DEEP, outside=str(place.outside)).text)
        assert top.is_dir()
    assert not top.parent.exists()
    assert place.outside_now() == before


def test_tools_in_a_home_folder_do_not_open_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(place.source.parent))
    with pytest.raises(TooldrillError, match="could read all that is in it") as caught:
        open_tools(place).__enter__()
    assert caught.value.next_step == "move them to a folder of their own"
    (place.source.parent / "tools").mkdir()
    moved = place.source.rename(place.source.parent / "tools" / "tools.py")
    with open_tools(place._replace(source=moved)) as tools:
        code = "result = Path(HERE['__file__']).parent.parent\nlist(result.iterdir())"
        assert "PermissionError" in tools.run(code).text


def test_a_module_of_a_library_does_not_open_where_the_user_stands(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.outside)
    from tooldrill.agent.limits.opening import limited_environment
    from tooldrill.agent.limits.settings import ToolLimits

    limits = ToolLimits(workspace=place.workspace)
    with limited_environment("python:linecache:getlines", limits) as (_, environment):
        assert environment.call("getlines", {"filename": str(place.secret)}).text == "[]"
        own = environment.call("getlines", {"filename": str(Path(os.__file__))})
        assert "OS routines" in own.text
