"""Variables of the environment that tools see: those that programs need to run, and no others.

An environment is where people keep keys and passwords, so what is not known to be harmless is not
handed on. More is named by hand (`ToolLimits.variables`).
"""

from __future__ import annotations

import os
from pathlib import Path

from tooldrill.agent.limits.settings import ToolLimits

_NAMES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "HOSTNAME", "TERM", "COLORTERM", "NO_COLOR"),
        *("LANG", "LANGUAGE", "TZ", "TZDIR", "TERMINFO", "EDITOR", "PAGER", "COLUMNS", "LINES"),
        *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "NIX_PATH", "NIX_PROFILES"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("NODE_PATH", "NODE_EXTRA_CA_CERTS", "NVM_DIR", "JAVA_HOME", "GOPATH", "CARGO_HOME"),
        *("HF_HOME", "SOURCE_DATE_EPOCH", "CI"),
        # Tells one MCP server's processes from another's.
        "TOOLDRILL_MCP_SESSION",
    }
)
_BEGINNINGS = (
    *("LC_", "LD_", "DYLD_", "PYTHON", "XDG_", "MALLOC_", "GLIBC_"),
    *("OMP_", "MKL_", "KMP_", "OPENBLAS_", "NUMEXPR_", "CUDA_", "NVIDIA_", "ROCR_", "HIP_"),
)
_PROXIES = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"})


def variables(limits: ToolLimits, temporary: Path) -> dict[str, str]:
    """The environment of a tool's process, from that of this one.

    Args:
        temporary: the process's own folder for temporary files.
    """
    kept = {name: value for name, value in os.environ.items() if _is_handed_on(name, limits)}
    for name in ("TMPDIR", "TEMP", "TMP"):
        kept[name] = str(temporary)
    return {
        **kept,
        "XDG_CACHE_HOME": str(temporary / "cache"),
        "MPLCONFIGDIR": str(temporary / "matplotlib"),
    }


def _is_handed_on(name: str, limits: ToolLimits) -> bool:
    if name in _NAMES or name in limits.variables or name.startswith(_BEGINNINGS):
        return True
    # They may hold a password, which is of use with the network only.
    return limits.allow_network and name.lower() in _PROXIES
