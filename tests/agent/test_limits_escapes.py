"""Ways out of the workspace, each really tried from inside of a worker."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from limited_tools import SECRET, Place, Tools, make_place, open_tools

from tooldrill.agent.limits import landlock, seccomp

pytestmark = pytest.mark.skipif(
    not landlock.version() or not seccomp.available(), reason="needs a kernel with Landlock"
)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    place = make_place(tmp_path_factory.mktemp("escapes").resolve())
    (place.workspace / "way").symlink_to(place.outside)
    (place.workspace / "inside.txt").write_text("inside")
    with open_tools(place) as tools:
        yield tools


def test_inside_everything_works(tools: Tools) -> None:
    code = """
os.makedirs("a/b"); Path("a/b/c.txt").write_text("x"); os.rename("a/b/c.txt", "a/d.txt")
shutil.copy2("a/d.txt", "e.txt"); os.link("e.txt", "a/f.txt"); os.symlink("a", "s")
os.truncate("e.txt", 0); Path("s/d.txt").unlink()
shutil.rmtree("a"); os.unlink("s"); os.mkfifo("p"); os.unlink("p")
import tempfile
with tempfile.NamedTemporaryFile() as file: file.write(b"y")
threading.Thread(target=lambda: Path("t").write_text("z")).start()
import asyncio; asyncio.run(asyncio.sleep(0)); open(os.devnull, "w").close()
left, right = socket.socketpair()
result = [os.getcwd(), sorted(os.listdir())]
"""
    seen = tools.run(code)
    assert not seen.error, seen.text
    assert str(tools.place.workspace) in seen.text
    assert "e.txt" in seen.text


READS = {
    "absolute": "Path(secret).read_text()",
    "parents": "Path('../outside/secret.txt').read_text()",
    "a link that was there": "Path('way/secret.txt').read_text()",
    "a link of its own": "(os.symlink(secret, 'l1'), Path('l1').read_text())",
    "a link to a link": "(os.symlink('way', 'l2'), Path('l2/secret.txt').read_text())",
    "proc root": "Path('/proc/self/root' + secret).read_text()",
    "proc cwd": "Path('/proc/self/cwd/../outside/secret.txt').read_text()",
    "proc root of the agent": "Path(f'/proc/{agent}/root' + secret).read_text()",
    "memory of the agent": "open(f'/proc/{agent}/mem', 'rb').read(1)",
    "environment of the agent": "Path(f'/proc/{agent}/environ').read_text()",
    "an open folder": "os.open('secret.txt', os.O_RDONLY, dir_fd=os.open(outside, os.O_RDONLY))",
    "a mere handle": "os.open('secret.txt', os.O_RDONLY, dir_fd=os.open(outside, os.O_PATH))",
    "a mere handle, reopened": "open(f'/proc/self/fd/{os.open(secret, os.O_PATH)}').read()",
    "listing": "os.listdir(outside)",
    "a hard link": "(os.link(secret, 'h'), Path('h').read_text())",
    "renaming": "(os.rename(secret, 'r'), Path('r').read_text())",
    "chroot": "(os.chroot(outside), Path('/secret.txt').read_text())",
    "a home": "os.listdir(os.path.expanduser('~'))",
    "shadow": "Path('/etc/shadow').read_text()",
}


@pytest.mark.parametrize("way", READS)
def test_nothing_outside_is_read(tools: Tools, way: str) -> None:
    place = tools.place
    names = {"secret": str(place.secret), "outside": str(place.outside), "agent": os.getpid()}
    seen = tools.run(f"result = {READS[way]}", **names)
    assert seen.error
    assert SECRET not in seen.text
    assert "PermissionError" in seen.text or "OSError: [Errno 18]" in seen.text


WRITES = {
    "over it": "Path(secret).write_text('x')",
    "at its end": "open(secret, 'a')",
    "truncating": "os.truncate(secret, 0)",
    "through a link": "Path('way/new.txt').write_text('x')",
    "parents": "Path('../outside/new.txt').write_text('x')",
    "proc root": "Path('/proc/self/root' + outside + '/new.txt').write_text('x')",
    "beside": "Path('../beside').write_text('x')",
    "a folder": "os.mkdir(outside + '/new')",
    "removing": "os.unlink(secret)",
    "removing a folder": "os.rmdir(outside + '/empty')",
    "renaming out": "os.rename('inside.txt', outside + '/in')",
    "renaming within": "os.rename(secret, outside + '/other')",
    "linking out": "os.link('inside.txt', outside + '/in')",
    "a symbolic link": "os.symlink('/', outside + '/root')",
    "a pipe": "os.mkfifo(outside + '/pipe')",
    "a socket": "socket.socket(socket.AF_UNIX).bind(outside + '/socket')",
    "a device inside": "os.mknod('disk', 0o60600, os.makedev(8, 0))",
    "its own source": "open(HERE['__file__'], 'a')",
    "python's folder": "Path(sys.prefix, 'x').write_text('x')",
}


@pytest.mark.parametrize("way", WRITES)
def test_nothing_outside_is_changed(tools: Tools, way: str) -> None:
    place = tools.place
    before = place.outside_now()
    seen = tools.run(
        f"result = {WRITES[way]}", secret=str(place.secret), outside=str(place.outside)
    )
    assert seen.error, seen.text
    assert "PermissionError" in seen.text or "OSError: [Errno 18]" in seen.text
    assert place.outside_now() == before
    assert not (place.outside.parent / "beside").exists()


@contextmanager
def swapping(place: Place) -> Iterator[None]:
    """While the block runs, `door` is in turn a harmless folder and a link that leads outside."""
    harmless = place.workspace / "harmless"
    harmless.mkdir(exist_ok=True)
    (harmless / "secret.txt").write_text("harmless")
    door, spare = place.workspace / "door", place.workspace / "spare"
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            for target in (harmless, place.outside):
                spare.symlink_to(target)
                spare.rename(door)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        yield
    finally:
        ended.set()
        swapper.join()


RACE = """
seen, refused = set(), 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        seen.add(open(door).read())
        open(door.replace("secret", "written"), "w").close()
    except OSError:
        refused += 1
result = [sorted(seen), refused > 0]
"""


def test_a_link_swapped_in_a_race_gives_nothing_away(tools: Tools) -> None:
    place = tools.place
    door = str(place.workspace / "door" / "secret.txt")
    with swapping(place):
        # Outside of a worker the race is won: the swapping is real.
        space: dict[str, object] = {"door": door, "seconds": 1.0, "time": __import__("time")}
        exec(RACE, space)
        assert SECRET in str(space["result"])
        (place.outside / "written.txt").unlink(missing_ok=True)
        seen = tools.run(RACE, door=door, seconds=2.0)
    assert seen.text == '[["harmless"], true]'
    assert not (place.outside / "written.txt").exists()


PROGRAMS = {
    "subprocess": "subprocess.run(['/bin/echo', 'x'])",
    "a shell": "subprocess.run('echo x', shell=True)",
    "fork": "os.fork()",
    "in its own place": "os.execv('/bin/echo', ['echo'])",
    "spawn": "os.posix_spawn('/bin/echo', ['echo'], {})",
    "by the loader": "os.execv('/lib64/ld-linux-x86-64.so.2', ['ld', '/bin/echo'])",
    "from memory": """
descriptor = os.memfd_create("x")
os.write(descriptor, Path("/bin/echo").read_bytes())
os.execve(descriptor, ["echo"], {})
""",
}


@pytest.mark.parametrize("way", PROGRAMS)
def test_no_program_is_run_and_no_process_made(tools: Tools, way: str) -> None:
    before = tools.run("result = os.getpid()").text
    seen = tools.run(PROGRAMS[way])
    assert seen.error
    assert "PermissionError: [Errno 1]" in seen.text
    assert tools.run("result = os.getpid()").text == before


def test_os_system_runs_nothing(tools: Tools) -> None:
    tools.run("os.system('echo x > made')")
    assert not (tools.place.workspace / "made").exists()


SOCKETS = {
    "tcp": "socket.create_connection(('127.0.0.1', tcp))",
    "udp": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', udp))",
    "tcp over ipv6": "socket.socket(socket.AF_INET6)",
    "listening": "socket.create_server(('127.0.0.1', 0))",
    "a service's socket": "socket.socket(socket.AF_UNIX).connect(unix)",
    "an abstract socket": "socket.socket(socket.AF_UNIX).connect('\\0tooldrill-test')",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "raw": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "a machine's host": "socket.socket(socket.AF_VSOCK)",
}


@pytest.mark.parametrize("way", SOCKETS)
def test_no_network(tools: Tools, tmp_path: Path, way: str) -> None:
    unix = str(tmp_path / "service")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as service,
    ):
        udp.bind(("127.0.0.1", 0))
        service.bind(unix)
        service.listen()
        ports = {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}
        seen = tools.run(f"result = {SOCKETS[way]}", unix=unix, **ports)
    assert seen.error
    assert "PermissionError: [Errno 13]" in seen.text


def test_no_ring_of_requests_goes_round_the_filter(tools: Tools) -> None:
    setup = "libc = ctypes.CDLL(None, use_errno=True)\n"
    code = f"{setup}result = [libc.syscall(425, 8, bytes(256)), ctypes.get_errno()]"
    assert tools.run(code).text == "[-1, 38]"


KILLS = {"the agent": "os.kill(agent, 0)", "the guard": "os.kill(os.getppid(), signal.SIGKILL)"}


@pytest.mark.parametrize("whom", KILLS)
@pytest.mark.skipif(landlock.version() < 6, reason="needs a kernel that holds back signals")
def test_no_signal_reaches_a_process_outside(tools: Tools, whom: str) -> None:
    seen = tools.run(KILLS[whom], agent=os.getpid())
    assert "PermissionError" in seen.text
    assert not tools.run("result = 1").error


def test_limits_are_not_lifted_again(tools: Tools) -> None:
    code = "resource.setrlimit(resource.RLIMIT_DATA, (2**60, 2**60))"
    assert "not allowed" in tools.run(code).text


def test_no_file_of_the_agent_is_open_in_a_worker(tmp_path: Path) -> None:
    place = make_place(tmp_path.resolve())
    with place.secret.open() as file, open_tools(place) as tools:
        os.set_inheritable(file.fileno(), True)
        code = "result = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')]"
        # The listing's own descriptor is gone when it is looked at.
        code = code.replace("]", " if os.path.lexists(f'/proc/self/fd/{n}')]")
        opened = json.loads(tools.run(code).text)
    assert {name.split(":")[0] for name in opened} == {"/dev/null", "pipe"}


def test_a_shell_is_confined_too(tmp_path: Path) -> None:
    place = make_place(tmp_path.resolve())
    with open_tools(place, allow_shell=True) as tools:
        assert tools.run("result = subprocess.getoutput('echo hello > in; cat in')").text == "hello"
        for command in (f"cat {place.secret}", f"echo x > {place.outside}/x", f"ls {Path.home()}"):
            seen = tools.run("result = subprocess.getoutput(command)", command=command)
            assert "ermission denied" in seen.text, command
        child = "import socket; socket.socket()"
        seen = tools.run(
            "result = subprocess.getoutput(f'{sys.executable} -c \"{child}\"')", child=child
        )
        assert "PermissionError" in seen.text


def test_the_network_can_be_allowed_and_services_stay_closed(tmp_path: Path) -> None:
    place = make_place(tmp_path.resolve())
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        open_tools(place, allow_network=True) as tools,
    ):
        code = "socket.create_connection(('127.0.0.1', tcp)).close(); result = 'connected'"
        assert tools.run(code, tcp=tcp.getsockname()[1]).text == "connected"
        assert "PermissionError" in tools.run("socket.socket(socket.AF_UNIX)").text
        assert "PermissionError" in tools.run("subprocess.run(['true'])").text


def test_more_can_be_made_readable_but_not_writable(tmp_path: Path) -> None:
    place = make_place(tmp_path.resolve())
    with open_tools(place, readable=(place.outside,)) as tools:
        secret = str(place.secret)
        assert tools.run("result = Path(secret).read_text()", secret=secret).text == SECRET
        assert tools.run("Path(secret).write_text('')", secret=secret).error


def test_importing_is_confined_as_well(tmp_path: Path) -> None:
    place = make_place(tmp_path.resolve())
    place.source.write_text(f"open({str(place.secret)!r})\n\ndef f(): ...\n")
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\nfrom limited_tools import Place, open_tools\n"
        f"with open_tools(Place(*map(Path, {[str(p) for p in place]!r}))): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "TooldrillError" in done.stderr
    assert "PermissionError" in done.stderr
