"""What serve-check reports: one finding per check, and whether the file may be dropped in.

A check is of one of two kinds. *Mechanics* do not depend on how clever the model is and decide the
exit status; *behaviour* is what this model chose to say, and is only told.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tooldrill.agent.settings import ProtocolName

Verdict = Literal["ok", "fail", "note"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Finding(_Record):
    """One check.

    Attributes:
        demanded, came: what had to be, and what was.
        verdict: `fail` means that an agent would meet this; `note` is behaviour that was not the
            hoped for.
        next_step: what mends a failure.
    """

    protocol: ProtocolName
    check: str
    demanded: str
    came: str
    verdict: Verdict = "ok"
    next_step: str = ""


class ServeReport(_Record):
    """All findings about one file.

    Attributes:
        server, version: the binary that ran, and what it says of itself.
        log: the server's log, kept.
    """

    model: str
    server: str
    version: str
    log: str
    findings: list[Finding]

    @property
    def failed(self) -> list[Finding]:
        """Findings that stand against dropping the file in."""
        return [finding for finding in self.findings if finding.verdict == "fail"]
