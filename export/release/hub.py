"""Sending a release to the Hugging Face hub, with the hub's own client.

The token comes from the environment or from `hf auth login`; it is never read, shown or kept here.
Sending goes on where it stopped: what the hub has already is not sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from tooldrill.agent.errors import TooldrillError

_LOGIN = "log in once with `hf auth login`, or set HF_TOKEN to a token that may write"
_AGAIN = "run the same command again: what the hub has already is not sent again"


@dataclass(frozen=True)
class Target:
    """Where a release goes.

    Attributes:
        repository: `user/name`; private: for a repository that is not there yet.
        revision: a branch, made when it is not there; None for `main`.
    """

    repository: str
    private: bool = False
    revision: str | None = None

    @property
    def address(self) -> str:
        branch = f"/tree/{self.revision}" if self.revision else ""
        return f"{constants.ENDPOINT}/{self.repository}{branch}"


def require_target(target: Target) -> None:
    """What can be told of a target without asking the hub.

    Raises:
        TooldrillError: when the hub has no such names.
    """
    step = "give it as USER/NAME or ORGANISATION/NAME"
    try:
        validate_repo_id(target.repository)
    except HFValidationError as error:
        raise TooldrillError(f"--push-to-hub: {_first_line(error)}", step) from error
    if target.repository.count("/") != 1:
        raise TooldrillError(f"--push-to-hub: {target.repository!r} names no owner", step)


def has_token() -> bool:
    """Whether the hub's client would find a token."""
    return get_token() is not None


def push(folder: Path, names: Sequence[str], target: Target) -> str:
    """Sends these files of the folder and returns the address of the commit.

    Raises:
        TooldrillError: without a token, and when the hub cannot be reached or refuses.
    """
    if not has_token():
        raise TooldrillError("there is no token for the Hugging Face hub", _LOGIN)
    api = HfApi(library_name="tooldrill")
    try:
        api.create_repo(target.repository, private=target.private, exist_ok=True)
        if target.revision is not None:
            api.create_branch(target.repository, branch=target.revision, exist_ok=True)
        done = api.upload_folder(
            repo_id=target.repository,
            folder_path=folder,
            revision=target.revision,
            allow_patterns=list(names),
            commit_message="Release made with tooldrill",
        )
    except HfHubHTTPError as error:
        raise _refused(target, error) from error
    except (httpx2.HTTPError, OSError, RuntimeError) as error:
        # hf_xet tells of a connection that broke as a RuntimeError.
        raise TooldrillError(
            f"{constants.ENDPOINT} could not be reached: {_first_line(error)}", _AGAIN
        ) from error
    return str(done.commit_url)


def _refused(target: Target, error: HfHubHTTPError) -> TooldrillError:
    status = error.response.status_code if error.response is not None else 0
    reason = error.server_message or _first_line(error)
    step = _LOGIN if status in (401, 403) else _AGAIN
    return TooldrillError(
        f"the hub refuses {target.repository} ({status}): {' '.join(reason.split())[:300]}", step
    )


def _first_line(error: BaseException) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)[:300]
