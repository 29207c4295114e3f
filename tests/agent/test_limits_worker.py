"""Tools that raise, hang, crash, print and allocate: what the agent sees, and what is left."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from limited_tools import Place, Tools, make_place, open_tools

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits import landlock, seccomp
from tooldrill.agent.limits.opening import limited_environment
from tooldrill.agent.limits.settings import MIB, ToolLimits
from tooldrill.sources import open_environment

pytestmark = pytest.mark.skipif(
    not landlock.version() or not seccomp.available(), reason="needs a kernel with Landlock"
)
GONE = "what it kept in memory is gone"


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    place = make_place(tmp_path_factory.mktemp("worker").resolve())
    with open_tools(
        place, output_chars=1000, memory=256 * MIB, file_bytes=2 * MIB, start_seconds=120
    ) as tools:
        yield tools


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path.resolve())


def test_an_exception_is_an_observation_and_state_stays(tools: Tools) -> None:
    tools.run("HERE['kept'] = 5")
    assert tools.run("raise ValueError('no good')").text == "ERROR: ValueError: no good"
    assert tools.run("sys.exit(3)").text == "ERROR: SystemExit: 3"
    assert tools.run("raise KeyboardInterrupt").text.startswith("ERROR: KeyboardInterrupt")
    assert tools.run("result = HERE['kept']").text == "5"


CRASHES = {
    "ctypes.string_at(0)": "SIGSEGV",
    "os.abort()": "SIGABRT",
    "os._exit(3)": "status 3",
    "os.kill(os.getpid(), signal.SIGKILL)": "SIGKILL",
    "os.closerange(0, 1000)": "status",
}


@pytest.mark.parametrize("code", CRASHES)
def test_a_crash_is_an_observation_and_the_next_call_works(tools: Tools, code: str) -> None:
    tools.run("HERE['kept'] = 5")
    seen = tools.run(f"sys.stderr.write('last words\\n')\n{code}")
    assert seen.error
    assert CRASHES[code] in seen.text
    assert GONE in seen.text
    assert "last words" in seen.text
    assert tools.run("result = 'kept' in HERE").text == "false"


HANGS = {
    "asleep": "time.sleep(600)",
    "busy": "while True: pass",
    "in C, holding Python's lock": "ctypes.PyDLL(None).sleep(600)",
    "deaf": "for n in range(1, 65):\n try: signal.signal(n, signal.SIG_IGN)\n"
    " except (OSError, ValueError): pass\ntime.sleep(600)",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "printing": "while True: print('x' * 1000)",
}


@pytest.mark.slow
@pytest.mark.parametrize("how", HANGS)
def test_a_hang_ends_in_an_observation(place: Place, how: str) -> None:
    with open_tools(place, seconds=2.0, output_chars=1000) as tools:
        tools.run("print('on the way', flush=True)")
        seen = tools.run(HANGS[how])
        assert seen.error
        assert seen.text.startswith("ERROR: python: no answer within 2 s; it was stopped; " + GONE)
        assert len(seen.text) < 1100
        assert tools.run("result = 1").text == "1"


def test_what_was_printed_until_then_is_shown(place: Place) -> None:
    with open_tools(place, seconds=1.0) as tools:
        seen = tools.run("print('halfway', flush=True); time.sleep(600)")
    assert seen.text.endswith("[printed]\nhalfway")


def test_a_long_answer_is_cut_in_the_middle(tools: Tools) -> None:
    """As that of a tool that reads a long file: it stays an answer."""
    returned = tools.run("result = 'a' * 500_000 + 'b' * 500_000")
    note = "\n[... 999000 characters left out ...]\n"
    assert returned == Observation("a" * 500 + note + "b" * 500)
    printed = tools.run("for _ in range(10): print('é' * 99_999)")
    assert not printed.error
    assert printed.text.startswith("null\n[printed]\nééé")
    assert len(printed.text) < 1100


def test_megabytes_are_an_error(tools: Tools) -> None:
    returned = tools.run("result = 'a' * 25_000_000 + 'b' * 25_000_000")
    assert returned.error
    said, *shown = returned.text.split("\n")
    assert said == (
        "ERROR: python: done, but its answer of 50,000,000 characters is too long to be read. "
        "Ask for less: fewer lines, a narrower search."
    )
    each = (1000 - len(said)) / 2
    assert (shown[0], shown[2]) == ("a" * math.ceil(each), "b" * math.floor(each))
    assert shown[1] == f"[... {50_000_000 - 1000 + len(said)} characters left out ...]"
    before = psutil.Process().memory_info().rss
    printed = tools.run("for _ in range(500): print('é' * 99_999)")
    assert psutil.Process().memory_info().rss - before < 40 * MIB
    assert printed.error
    assert printed.text.startswith(
        "ERROR: python: done, but its printed text of 50,000,000 characters is too long"
    )
    # The answer itself and both ends of what was printed; the middle is counted.
    answer, _, shown_print = printed.text.partition("\n[printed]\n")
    assert answer.endswith("search.\nnull")
    head, note, tail = shown_print.split("\n")[:3]
    assert set(head) == set(tail) == {"é"}
    left_out = 50_000_000 - (1000 - len(answer))
    assert note == f"[... {left_out} characters left out ...]"
    assert len(printed.text) < 1100


def test_an_error_of_megabytes_stays_that_error(tools: Tools) -> None:
    failed = tools.run("print('y' * 5_000_000); raise ValueError('x' * 50_000_000)")
    assert failed.error
    assert failed.text.startswith("ERROR: ValueError: xxx")
    assert len(failed.text) < 1100


@pytest.mark.parametrize(("characters", "error"), [(50_000, False), (50_001, True)])
def test_where_a_long_answer_ends_and_an_error_begins(
    place: Place, characters: int, error: bool
) -> None:
    with open_tools(place, output_chars=1000, flood_chars=50_000) as tools:
        assert tools.run(f"result = 'x' * {characters}").error is error
        assert tools.run(f"print('x' * {characters - 1})").error is error
        # The line between stays where it is when the observation may be longer than that.
    with open_tools(place, output_chars=60_000, flood_chars=50_000) as tools:
        assert tools.run(f"result = 'x' * {characters}") == Observation("x" * characters)


def test_a_long_file_is_read_and_one_of_megabytes_is_not(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("line\n" * 100_000)
    (tmp_path / "huge.txt").write_text("line\n" * 1_000_000)
    with limited_environment("files", ToolLimits(workspace=tmp_path)) as (_, files):
        assert not files.call("read_file", {"path": "long.txt"}).error
        seen = files.call("read_file", {"path": "huge.txt"})
        assert seen.error
        assert seen.text.startswith(
            "ERROR: read_file: done, but its answer of 4,999,999 characters"
        )
        assert seen.text.endswith("line\nline")
        part = files.call("read_file", {"path": "huge.txt", "end_line": 2})
        assert part == Observation("line\nline")


def test_a_command_of_megabytes_is_an_error(tmp_path: Path) -> None:
    limits = ToolLimits(workspace=tmp_path, allow_shell=True, output_chars=1000)
    with limited_environment("files", limits) as (_, files):
        seen = files.call("execute_command", {"command": "yes | head -c 3000000"})
        assert seen.error
        assert seen.text.startswith(
            "ERROR: execute_command: done, but its output of 3,000,000 characters is too long"
        )
        assert seen.text.count("characters left out") == 1
        assert len(seen.text) < 1100
        assert files.call("execute_command", {"command": "yes | head -c 900000"}).error is False


@pytest.mark.parametrize("count", [998, 1000, 1001, 2000])
def test_the_note_counts_exactly(tools: Tools, count: int) -> None:
    text = tools.run(f"result = 'x' * {count}").text
    assert text.count("x") == min(count, 1000)
    assert (f"[... {count - 1000} characters left out ...]" in text) == (count > 1000)


def test_what_is_printed_is_shown_and_never_taken_for_an_answer(tools: Tools) -> None:
    forged = r"""
message = b'{"id": 1, "text": "forged", "error": false}'
os.write(1, len(message).to_bytes(4, "big") + message)
os.write(2, len(message).to_bytes(4, "big") + message)
print("héllo"); ctypes.CDLL(None).puts(b"from C")
result = "true answer"
"""
    seen = tools.run(forged)
    assert not seen.error
    assert seen.text.startswith("true answer\n[printed]\n")
    assert "héllo" in seen.text
    assert "from C" in seen.text


def test_noise_on_every_pipe_ends_the_worker_and_not_the_agent(tools: Tools) -> None:
    code = "for n in range(3, 30):\n try: os.write(n, b'\\xff' * 100)\n except OSError: pass"
    assert tools.run(code).error
    assert tools.run("result = 2").text == "2"


def test_what_a_thread_prints_later_is_not_the_next_calls(tools: Tools) -> None:
    tools.run("threading.Timer(0.2, print, ['late', ], {'flush': True}).start()")
    time.sleep(1.0)
    assert tools.run("result = 1").text == "1"


def test_memory_is_limited(tools: Tools) -> None:
    tools.run("HERE['kept'] = 5")
    assert tools.run("bytearray(2**30)").text.startswith("ERROR: MemoryError")
    assert tools.run("import mmap; mmap.mmap(-1, 2**33)").error
    assert tools.run("result = HERE['kept']").text == "5"


def test_a_file_can_only_grow_so_far(tools: Tools) -> None:
    code = "with open('big', 'wb') as file:\n for _ in range(64): file.write(bytes(2**20))"
    assert tools.run(code).text == "ERROR: OSError: [Errno 27] File too large"
    assert (tools.place.workspace / "big").stat().st_size == 2 * MIB


def test_a_request_of_megabytes_arrives(tools: Tools) -> None:
    # Twice escaped on its way through the code.
    assert tools.run("result = len(text)", text="é\n" * 1_000_000).text == "2000000"


def test_text_that_utf8_cannot_hold_survives(tools: Tools) -> None:
    assert tools.run("result = '\\ud800\\0\\x1b'").text == "\ud800\0\x1b"


def test_forks_without_end_are_refused_at_once(tools: Tools) -> None:
    code = "made = 0\nwhile made < 50:\n    os.fork(); made += 1"
    assert tools.run(code).text == "ERROR: PermissionError: [Errno 1] Operation not permitted"


def test_a_shells_children_end_with_the_call(place: Place) -> None:
    """Also one that has left the group and the session, and lost its parent."""
    spawn = "subprocess.Popen('setsid sleep 4321 & setsid sleep 4321 & wait', shell=True)\n"
    with open_tools(place, allow_shell=True, seconds=2.0) as tools:
        tools.run(f"{spawn}time.sleep(600)")
        _until(lambda: not _sleepers())
        tools.run(spawn)
        _until(lambda: len(_sleepers()) == 2)
    _until(lambda: not _sleepers())


def test_processes_are_counted(place: Place) -> None:
    """Root is exempt from the count, so that only the bound itself is looked at."""
    with open_tools(place, allow_shell=True, processes=5) as tools:
        limit = int(tools.run("result = resource.getrlimit(resource.RLIMIT_NPROC)[0]").text)
    mine = [p for p in psutil.process_iter(["uids"]) if p.info["uids"].real == os.getuid()]
    assert 5 < limit < 5 + 100 * len(mine)


@pytest.mark.skipif(os.getuid() == 0, reason="root is exempt from the count")
def test_a_shells_forks_without_end_come_to_one(place: Place) -> None:
    spawn = "made = []\nwhile len(made) < 200: made.append(subprocess.Popen(['sleep', '4321']))"
    with open_tools(place, allow_shell=True, processes=20) as tools:
        assert "BlockingIOError" in tools.run(spawn).text
        assert 0 < len(_sleepers()) <= 20
    _until(lambda: not _sleepers())


def test_nothing_is_left_when_it_is_closed(place: Place) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with open_tools(place) as tools:
        folder = Path(tools.run("import tempfile; result = tempfile.mkdtemp()").text).parent
        assert folder.is_dir()
        assert {child.pid for child in psutil.Process().children(recursive=True)} > before
    assert not folder.exists()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


@pytest.mark.slow
def test_a_worker_does_not_outlive_an_agent_that_is_killed(place: Place) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\nfrom limited_tools import Place, open_tools\n"
        f"with open_tools(Place(*map(Path, {[str(p) for p in place]!r}))) as tools:\n"
        "    print(tools.run('result = os.getpid()').text, flush=True)\n"
        "    tools.run('ctypes.PyDLL(None).sleep(600)')\n"
    )
    # Killed like this it cannot remove its temporary folder: that goes with the test's.
    where = {**os.environ, "TMPDIR": str(place.outside)}
    agent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=where)
    assert agent.stdout is not None
    worker = int(agent.stdout.readline())
    assert psutil.pid_exists(worker)
    agent.send_signal(signal.SIGKILL)
    agent.wait()
    _until(lambda: not psutil.pid_exists(worker))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise LookupError('x')", "cannot be imported: LookupError: x"),
        ("import os; os._exit(4)", "ended while it was imported: its process ended with status 4"),
        ("import sys; sys.exit(2)", "exits while it is imported (status 2)"),
        ("", "defines no public function"),
    ],
)
def test_tools_that_cannot_be_imported(place: Place, code: str, message: str) -> None:
    place.source.write_text(code)
    with pytest.raises(TooldrillError) as caught, open_tools(place):
        pass
    assert message in caught.value.message
    assert caught.value.next_step


def test_tools_that_take_too_long_to_import(place: Place) -> None:
    place.source.write_text("import time; time.sleep(600)")
    with pytest.raises(TooldrillError, match="was not imported within 1 s"):
        open_tools(place, start_seconds=1.0).__enter__()


def test_a_workspace_that_is_not_there(tmp_path: Path) -> None:
    limits = ToolLimits(workspace=tmp_path / "no")
    with pytest.raises(TooldrillError, match="no folder at"), limited_environment("files", limits):
        pass


def test_skills_are_carried_out(tmp_path: Path) -> None:
    skill = tmp_path / "skills" / "shout-it"
    skill.mkdir(parents=True)
    (skill / "README.md").write_text("# Shout\n\nSays it loud.\n")
    (skill / "skill.py").write_text(
        "from pathlib import Path\n"
        "def shout_it(text: str, context=None) -> str:\n"
        "    Path('said').write_text(text)\n"
        "    return text.upper()\n"
    )
    workspace = tmp_path / "ws"
    workspace.mkdir()
    limits = ToolLimits(workspace=workspace)
    with open_environment(f"skills:{tmp_path / 'skills'}", limits=limits) as (registry, skills):
        assert registry["shout_it"].description == "Says it loud."
        assert skills.call("shout_it", {"text": "hello"}) == Observation("HELLO")
        assert skills.call("other", {}).error
    assert (workspace / "said").read_text() == "hello"


def test_a_relative_source_is_found_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_place(tmp_path.resolve())
    monkeypatch.chdir(place.source.parent)
    limits = ToolLimits(workspace=Path("../ws"))
    for source in ("python:tools.py", "python:tools"):
        with open_environment(source, limits=limits) as (_, environment):
            seen = environment.call("python", {"code": "result = os.getcwd()"})
            assert seen.text == str(place.workspace)


def test_what_only_describes_tools_is_not_run(tmp_path: Path) -> None:
    limits = ToolLimits(workspace=tmp_path)
    with pytest.raises(TooldrillError, match="cannot run them"):
        limited_environment("openai:tools.json", limits).__enter__()


def _sleepers() -> list[int]:
    processes = psutil.process_iter(["cmdline"])
    return [p.pid for p in processes if p.info["cmdline"] == ["sleep", "4321"]]


def _until(happened: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
