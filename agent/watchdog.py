"""Watchdogs: when an episode goes in circles, a hint to change strategy is put into it.

Two triggers: the same failing call several times in a row, and many errors among the last few
observations. Off when a bare model is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from tooldrill.agent.call import PastCall
from tooldrill.agent.settings import WatchdogSettings


class Watchdog:
    """Watches one episode.

    Args:
        settings: thresholds; a disabled watchdog never says anything.
    """

    def __init__(self, settings: WatchdogSettings) -> None:
        self._settings = settings
        self._quiet_until = 0

    def hint(self, past: Sequence[PastCall]) -> str | None:
        """The hint that the calls so far deserve, or None. One trigger speaks once in its span."""
        if not self._settings.enabled or len(past) < self._quiet_until:
            return None
        for span, text in (self._identical(past), self._error_rate(past)):
            if text is not None:
                self._quiet_until = len(past) + span
                return text
        return None

    def _identical(self, past: Sequence[PastCall]) -> tuple[int, str | None]:
        count = self._settings.identical_failures
        last = past[-count:]
        same = len({p.call.fingerprint for p in last}) == 1 and all(p.error for p in last)
        if len(last) < count or not same:
            return count, None
        return count, (
            f"The same call of {last[0].call.name} has failed {count} times. Repeating it cannot "
            "help: read the error, then change the arguments, use another tool, or say what "
            "stands in the way."
        )

    def _error_rate(self, past: Sequence[PastCall]) -> tuple[int, str | None]:
        window = self._settings.error_window
        last = past[-window:]
        errors = sum(p.error for p in last)
        if len(last) < window or errors < self._settings.errors_in_window:
            return window, None
        return window, (
            f"{errors} of the last {window} calls failed. Stop and look again at the signatures of "
            "the tools and at what is known, then try another way or say what stands in the way."
        )
