"""Which folders a confined process may read: the system's, Python's, those of the tools.

Not the home folder, not other people's data, not the rest of /etc: what is missing here and needed
by somebody's tools is named by hand (`ToolLimits.readable`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
# What the C library, OpenSSL and a runtime's start look at.
_ETC = (
    "alternatives",
    "ca-certificates",
    "debian_version",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "timezone",
)
_MACHINE = (
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
_DEVICES = ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_EVERY_PROCESS = Path("/proc")
SINK = Path("/dev/null")


def system_roots(every_process: bool) -> Iterator[Path]:
    """What any program reads.

    Args:
        every_process: all of /proc: a child's own entry cannot be named before it is there.
    """
    named = (*_SYSTEM, *(f"/etc/{name}" for name in _ETC), *_MACHINE, *_DEVICES)
    for path in (Path(name) for name in named):
        if path.exists():
            yield path
    if every_process:
        yield _EVERY_PROCESS


def holds_home(folder: Path) -> bool:
    """Whether everything that a person keeps is in there."""
    try:
        return Path.home().resolve().is_relative_to(folder.resolve())
    except RuntimeError:
        return False  # there is no home folder


def python_roots() -> Iterator[Path]:
    """Where this interpreter and all that it can import lie."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent}
    found.update(Path(entry) for entry in sys.path if entry)
    for root in sorted(found | set(_editable())):
        if root.exists() and root != Path(root.anchor):
            yield root


def _editable() -> Iterator[Path]:
    """Folders of packages installed with `pip install -e`, which are not on `sys.path`."""
    for name, module in list(sys.modules.items()):
        if name.startswith("__editable__"):
            for target in getattr(module, "MAPPING", {}).values():
                package = Path(target)
                yield package
                # A stage of tooldrill is a link out of its package's folder.
                if package.is_dir():
                    yield from (c.resolve() for c in package.iterdir() if c.is_symlink())
