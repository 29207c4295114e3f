"""`make llama-server`: built from the source archive of the installed llama-cpp-python.

The archive on PyPI carries all of llama.cpp, in the very version that the loop runs in process. The
build is resumable: the archive and the build folder stay in the cache until the binary has its
place, and with it there a second call does nothing. Run as `python -m
tooldrill.export.serving.build`; `CMAKE_ARGS` are passed on, as pip does it for llama-cpp-python.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tooldrill.agent.atomic import atomic_directory, atomic_path
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.serving.binary import PROGRAM, VARIABLE, built_server, find_server

_PACKAGE = "llama-cpp-python"
_INTERRUPTED = 130  # the exit status of what Ctrl-C ended
# Without the web page, HTTPS and tests: nothing but the API on this machine is needed. The prebuilt
# page would be downloaded in the middle of the build.
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
)
# What CMake looks for by itself, and the variable that names another.
_COMPILERS = {
    "CC": ("cc", "gcc", "clang"),
    "CXX": ("c++", "g++", "clang++"),
}
_ELSE = f"build llama-server yourself and name it: ${VARIABLE}"


def build() -> Path:
    """Builds the server unless it lies in the cache already.

    Returns:
        The binary.

    Raises:
        TooldrillError: when a tool is missing or a step fails; the same command goes on from there.
    """
    target = built_server()
    work = target.parent / "work"
    if target.is_file():
        shutil.rmtree(work, ignore_errors=True)
        print(f"{PROGRAM}: {target} (up to date)")
        return target
    cmake = _cmake()
    require_compilers()
    work.mkdir(parents=True, exist_ok=True)
    source = unpack(download(work), work)
    objects = work / "build"
    _run("cmake", configure_command(cmake, source, objects))
    print(f"{PROGRAM}: compiling, which takes about 20 minutes on two cores", flush=True)
    # One job for each core, and make's own percentages as the progress.
    jobs = str(len(os.sched_getaffinity(0)))
    _run(
        "the compiler",
        [*cmake, "--build", str(objects), "--target", PROGRAM, "--config", "Release", "-j", jobs],
    )
    version = install(objects, target)
    shutil.rmtree(work)
    print(f"{PROGRAM}: {target}, version {version}")
    return target


def download(work: Path) -> Path:
    """The source archive of the installed version, fetched by pip once."""
    # A wheel built for CUDA calls itself 0.3.36+cu124; the source has no such addition.
    version = metadata.version(_PACKAGE).partition("+")[0]
    found = _archive(work)
    if found is not None:
        return found
    with atomic_directory(work / "archive") as folder:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps"]
        wanted = ["--no-binary", _PACKAGE, "--dest", str(folder), f"{_PACKAGE}=={version}"]
        _run("pip", [*pip, *wanted])
    found = _archive(work)
    if found is None:
        raise TooldrillError(f"pip downloaded no source archive of {_PACKAGE} {version}", _ELSE)
    return found


def unpack(archive: Path, work: Path) -> Path:
    """llama.cpp's source, out of the archive."""
    source = work / "source"
    if not source.is_dir():
        with atomic_directory(source) as folder, tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    found = next(source.glob("*/vendor/llama.cpp/CMakeLists.txt"), None)
    if found is None:
        raise TooldrillError(f"{archive.name} holds no vendor/llama.cpp", _ELSE)
    return found.parent


def configure_command(cmake: Sequence[str], source: Path, objects: Path) -> list[str]:
    """CMake's first step; the user's `CMAKE_ARGS` come last and win."""
    return [*cmake, "-S", str(source), "-B", str(objects), *OPTIONS, *_users_options()]


def install(objects: Path, target: Path) -> str:
    """Copies the binary to its place, whole or not at all.

    Returns:
        The version that it tells of itself.

    Raises:
        TooldrillError: when there is none, or it does not run.
    """
    built = next((path for path in objects.rglob(PROGRAM) if path.is_file()), None)
    if built is None:
        raise TooldrillError(f"the build left no {PROGRAM} in {objects}", "make llama-server again")
    version = find_server(built).version
    with atomic_path(target) as temporary:
        shutil.copy2(built, temporary)
    return version


def require_compilers() -> None:
    """Tells a missing compiler in one line, where CMake takes a page.

    Raises:
        TooldrillError: when there is none for C or for C++, and none is named.
    """
    named = " ".join(_users_options())
    if "_COMPILER=" in named or "TOOLCHAIN_FILE=" in named:
        return
    for variable, usual in _COMPILERS.items():
        chosen = os.environ.get(variable)
        candidates = shlex.split(chosen)[:1] if chosen else usual
        if not any(map(shutil.which, candidates)):
            language, looked = "C++" if variable == "CXX" else "C", ", ".join(candidates)
            raise TooldrillError(
                f"no {language} compiler was found: {looked}",
                "install one (Debian, Ubuntu: apt install build-essential; Fedora: dnf install "
                f"gcc-c++) or name it in ${variable}, then make llama-server",
            )


def _users_options() -> list[str]:
    return shlex.split(os.environ.get("CMAKE_ARGS", ""))


def _archive(work: Path) -> Path | None:
    return next((work / "archive").glob("*.tar.gz"), None)


def _cmake() -> list[str]:
    """CMake as a program, or as pip's package of it."""
    program = shutil.which("cmake")
    if program:
        return [program]
    if find_spec("cmake") is not None:
        return [sys.executable, "-m", "cmake"]
    raise TooldrillError(
        "cmake is not installed",
        f"{sys.executable} -m pip install cmake, then make llama-server",
    )


def _run(what: str, command: Sequence[str]) -> None:
    print("+ " + shlex.join(command), flush=True)
    status = subprocess.run(command, check=False).returncode
    if status in (-signal.SIGINT, _INTERRUPTED):
        raise KeyboardInterrupt
    if status != 0:
        raise TooldrillError(
            f"{what} failed with status {status}; what it said stands above",
            "mend that and run make llama-server again: it goes on from there",
        )


def main() -> None:
    """The command: one line and a next step when something is wrong."""
    try:
        build()
    except TooldrillError as error:
        print(f"error: {error.message}\nnext:  {error.next_step}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nstopped\nnext:  make llama-server goes on from here", file=sys.stderr)
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
