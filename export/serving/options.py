"""Options of llama-server that a user hands on, and those that are ours to choose.

With another port the checks would wait for a server that listens elsewhere; with a key or a
certificate every answer would be a refusal, which says nothing of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tooldrill.agent.errors import TooldrillError

# llama.cpp: common/arg.cpp.
_OURS = frozenset(
    {"-m", "--model", "-mu", "--model-url", "-hf", "-hfr", "--hf-repo"}
    | {"-dr", "--docker-repo", "--host", "--port", "--api-prefix"}
    | {"--api-key", "--api-key-file", "--ssl-key-file", "--ssl-cert-file"}
)
# The same by way of the environment, where they are meant for the user's own server.
_VARIABLES = ("LLAMA_API_KEY", "LLAMA_ARG_API_PREFIX", "LLAMA_ARG_MODEL_URL", "LLAMA_ARG_HF_REPO")
_SECURED = ("LLAMA_ARG_SSL_KEY_FILE", "LLAMA_ARG_SSL_CERT_FILE")


def require_free(options: Sequence[str]) -> None:
    """Lets options pass that do not change where the server is found and what it serves.

    Raises:
        TooldrillError: for one that does.
    """
    taken = next((word for word in options if word.partition("=")[0] in _OURS), None)
    if taken is not None:
        raise TooldrillError(
            f"{taken} cannot be handed on: the server is started here for this file, on a free "
            "port of this machine, without a key",
            f"leave {taken.partition('=')[0]} out",
        )


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would change the same."""
    return {k: v for k, v in environment.items() if k not in (*_VARIABLES, *_SECURED)}
