"""Ways past Landlock, each really tried: what the filter of system calls has to hold alone."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from limited_tools import Tools, make_place, open_tools

from tooldrill.agent.limits import landlock, seccomp
from tooldrill.agent.limits.system_calls import MACHINES, number_of

pytestmark = pytest.mark.skipif(
    not landlock.version() or not seccomp.available(), reason="needs a kernel with Landlock"
)
KNOWN_IN_MEMORY = ctypes.create_string_buffer(b"known only to the agent")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    place = make_place(tmp_path_factory.mktemp("refusals").resolve())
    with open_tools(place) as tools:
        yield tools


def asked(call: str, *arguments: str) -> str:
    """Code that makes a system call by its number and keeps the error that it got."""
    number = number_of(call, MACHINES[platform.machine()])
    passed = ", ".join(f"ctypes.c_long({a})" for a in (number, *arguments))
    return (
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"returned = libc.syscall({passed})\n"
        "result = errno.errorcode.get(ctypes.get_errno()) if returned < 0 else 'done'"
    )


CALLS = {
    "shared memory": (asked("shmget", "0x7001", "4096", "0o1600"), "EPERM"),
    "a semaphore": (asked("semget", "0x7001", "1", "0o1600"), "EPERM"),
    "a queue": (asked("msgget", "0x7001", "0o1600"), "EPERM"),
    "the user's keys": (asked("keyctl", "0", "-4", "0"), "EPERM"),
    "spaces of its own": (asked("unshare", "0x10000000"), "EPERM"),
    "the agent's limits": (asked("prlimit64", "agent", "0", "0", "0"), "EPERM"),
    "the agent's priority": (asked("setpriority", "0", "agent", "19"), "EPERM"),
    "everybody's priority": (asked("setpriority", "2", "0", "19"), "EPERM"),
    "the agent's scheduler": (asked("sched_setscheduler", "agent", "5", "0"), "EPERM"),
    "memory that is not counted": (asked("memfd_create", "0", "0"), "EPERM"),
    "watching a folder": (asked("inotify_init1", "0"), "EPERM"),
    "outliving the guard": (asked("prctl", "1", "0"), "EPERM"),
    "signals by files": (asked("fcntl", "0", "8", "agent"), "EPERM"),
}


@pytest.mark.parametrize("what", CALLS)
def test_what_is_reached_by_a_number_is_refused(tools: Tools, what: str) -> None:
    code, error = CALLS[what]
    assert tools.run(code, agent=os.getpid()).text == error


def test_its_own_limits_and_priority_are_its_own(tools: Tools) -> None:
    code = """
resource.setrlimit(resource.RLIMIT_NOFILE, (512, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
nice = os.nice(1)
os.setpriority(os.PRIO_PROCESS, 0, nice + 1); os.sched_setscheduler(0, 3, os.sched_param(0))
lowered = os.getpriority(os.PRIO_PROCESS, 0) - nice
result = [resource.getrlimit(resource.RLIMIT_NOFILE)[0], lowered]
"""
    assert tools.run(code).text == "[512, 1]"


def test_memory_of_the_agent_is_not_read(tools: Tools) -> None:
    code = """
class Piece(ctypes.Structure): _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]
into = ctypes.create_string_buffer(size)
here, there = Piece(ctypes.addressof(into), size), Piece(address, size)
libc = ctypes.CDLL(None, use_errno=True)
read = libc.process_vm_readv(process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
result = into.value.decode()
"""
    size, address = len(KNOWN_IN_MEMORY.value), ctypes.addressof(KNOWN_IN_MEMORY)
    space: dict[str, object] = {"ctypes": ctypes, "process": os.getpid(), "size": size}
    exec(code, {**space, "address": address}, space)
    assert space["result"] == KNOWN_IN_MEMORY.value.decode()  # it can be done
    seen = tools.run(code, process=os.getpid(), size=size, address=address)
    assert (seen.text, seen.error) == ("", False)


def test_a_pair_of_sockets_reaches_no_service(tools: Tools, tmp_path: Path) -> None:
    name = str(tmp_path / "service")
    pair = "left, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    code = f"{pair}left.sendto(b'x', name)"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.bind(name)
        service.settimeout(5)
        exec(code, {"socket": socket, "name": name})
        assert service.recv(1) == b"x"  # it can be done
        assert "PermissionError" in tools.run(code, name=name).text
        service.setblocking(False)
        with pytest.raises(BlockingIOError):
            service.recv(1)


OUTSIDE = {
    "bits": "os.chmod(name, 0o777)",
    "bits of a folder": "os.chmod(os.path.dirname(name), 0)",
    "bits through a link": "(os.symlink(name, 'way'), os.chmod('way', 0o777))",
    "times": "os.utime(name, (1, 1))",
    "times now": "os.utime(name)",
    "length": "os.truncate(name, 0)",
    "owner": "os.chown(name, os.getuid(), os.getgid())",
    "attributes": "os.setxattr(name, 'user.mark', b'x')",
    "bits by number": "ctypes.CDLL(None).chmod(name.encode(), 0o777)",
    "bits by a handle": "os.fchmod(os.open(name, os.O_PATH), 0o777)",
    "bits by a handle's name": "os.chmod(f'/proc/self/fd/{os.open(name, os.O_PATH)}', 0o777)",
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_bits_times_and_owners_outside_are_not_changed(tools: Tools, what: str) -> None:
    def now() -> list[tuple[int, ...]]:
        stats = [path.stat() for path in (tools.place.secret, tools.place.outside)]
        return [(s.st_mode, s.st_mtime_ns, s.st_size, s.st_uid) for s in stats]

    before = now()
    tools.run(f"Path('way').unlink(missing_ok=True)\n{OUTSIDE[what]}", name=str(tools.place.secret))
    assert now() == before


def test_bits_and_times_inside_are(tools: Tools) -> None:
    code = """
Path("from").write_text("xyz"); os.chmod("from", 0o640); os.utime("from", (5, 7))
shutil.copy2("from", "to"); os.mkdir("deep"); shutil.copy("to", "deep/from")
os.truncate("to", 1); os.symlink("from", "by"); os.chmod("by", 0o600)
Path("deep/from").chmod(0o751); Path("deep/from").touch()
folder = os.open("deep", os.O_RDONLY); os.utime("from", ns=(9, 9), dir_fd=folder)
with open("to") as file: os.utime(file.fileno(), (3, 3)); os.chmod(file.fileno(), 0o600)
Path("unreadable").write_text(""); os.chmod("unreadable", 0o200); os.chmod("unreadable", 0o400)
stats = [os.stat(name) for name in ("from", "to", "deep/from", "unreadable")]
result = [[oct(s.st_mode & 0o777), int(s.st_mtime), s.st_size] for s in stats][:3]
"""
    seen = tools.run(code)
    assert seen.text == '[["0o600", 7, 3], ["0o600", 3, 1], ["0o751", 0, 3]]'


def test_a_child_of_a_shell_reaches_no_further(tmp_path: Path) -> None:
    place = make_place(tmp_path.resolve())
    child = f"import resource; resource.prlimit({os.getpid()}, resource.RLIMIT_CORE, (0, 0))"
    before = resource.getrlimit(resource.RLIMIT_CORE)
    with open_tools(place, allow_shell=True) as tools:
        code = "command = [sys.executable, '-c', child]\n"
        code += "result = subprocess.run(command, capture_output=True).stderr"
        assert "PermissionError" in tools.run(code, child=child).text
        assert tools.run(asked("shmget", "0x7001", "4096", "0o1600")).text == "EPERM"
        assert tools.run(asked("unshare", "0x10000000")).text == "EPERM"
        assert tools.run("result = subprocess.getoutput('nice echo hi; chmod 700 .')").text == "hi"
    assert resource.getrlimit(resource.RLIMIT_CORE) == before


# Without Landlock, so that only the filter can be what refuses.
ALONE = """
import ctypes, json, os, signal, sys
from tooldrill.agent.limits import process_limits, seccomp
agent, name = int(sys.argv[1]), sys.argv[2]
folder = os.open(os.path.dirname(name), os.O_RDONLY)
process_limits.prctl(38, 1)
seccomp.restrict(programs=False, network=False, truncation=True)
libc = ctypes.CDLL(None)
said = {}
tries = {
    "kill": lambda: os.kill(agent, 0),
    "kill all": lambda: os.kill(-1, 0),
    "kill a group": lambda: os.kill(0, 0),
    "by a handle": lambda: signal.pidfd_send_signal(os.pidfd_open(agent), 0),
    "empty": lambda: os.truncate(name, 0),
    "empty while reading": lambda: os.open(name, os.O_RDONLY | os.O_TRUNC),
    "empty in a folder": lambda: os.open("file", os.O_RDONLY | os.O_TRUNC, dir_fd=folder),
    "empty strangely": lambda: os.open(name, 3 | os.O_TRUNC),
    "myself": lambda: (os.kill(os.getpid(), 0), signal.raise_signal(signal.SIGCONT)),
    "write": lambda: os.close(os.open(name, os.O_WRONLY)),
    "read": lambda: os.close(os.open(name, os.O_RDONLY)),
    "write anew": lambda: os.close(os.open(name + "2", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)),
}
for what, attempt in tries.items():
    try:
        attempt()
        said[what] = "done"
    except OSError as error:
        said[what] = error.strerror
print(json.dumps(said))
"""


def test_what_the_filter_holds_where_landlock_does_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    command = [sys.executable, "-c", ALONE, str(os.getpid()), str(file)]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    done = {what for what, answer in said.items() if answer == "done"}
    assert done == {"myself", "write", "read", "write anew"}
    assert set(said.values()) == {"done", "Operation not permitted"}
    assert file.read_text() == "kept"


# Of what it is asked, this kernel keeps no more than an older one would.
OLD = """
import json, os, sys
from pathlib import Path
from tooldrill.agent.limits import confinement, landlock
from tooldrill.agent.limits.settings import ToolLimits
workspace, secret, version = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
landlock.version = lambda: version
limits = ToolLimits(workspace=workspace)
assert confinement.missing_powers(limits) == []
os.chdir(workspace)
os.makedirs("temporary")
confinement.confine(limits, workspace / "temporary")
said = {}
tries = {
    "read": lambda: open(secret),
    "write": lambda: open(secret, "w"),
    "write at its end": lambda: open(secret, "a"),
    "empty": lambda: os.truncate(secret, 0),
    "empty while reading": lambda: os.open(secret, os.O_RDONLY | os.O_TRUNC),
    "remove": lambda: os.unlink(secret),
    "list": lambda: os.listdir(os.path.dirname(secret)),
    "kill": lambda: os.kill(os.getppid(), 0),
    "rename out": lambda: os.rename("temporary", os.path.dirname(secret) + "/new"),
    "write inside": lambda: Path("a").write_text("x"),
    "write inside again": lambda: Path("a").write_text("y"),
    "rename inside": lambda: os.rename("a", "b"),
}
for what, attempt in tries.items():
    try:
        attempt()
        said[what] = "done"
    except OSError as error:
        said[what] = "refused"
print(json.dumps(said))
"""


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_older_kernels_hold_as_much(tmp_path: Path, version: int) -> None:
    place = make_place(tmp_path.resolve())
    before = place.outside_now()
    command = [sys.executable, "-c", OLD, *map(str, (place.workspace, place.secret, version))]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    done = {what for what, answer in said.items() if answer == "done"}
    assert done == {"write inside", "write inside again", "rename inside"}
    assert place.outside_now() == before
