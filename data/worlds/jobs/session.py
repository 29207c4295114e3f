"""The tools of the `jobs` world: services, timed jobs, logs, alerts, runbooks.

State: `now` ("YYYY-MM-DD HH:MM"), `frozen` (environments), and lists of rows: `services` (name,
environment, version, replicas, status, past, restarts), `releases` (service, version), `jobs`
(name, days, time, state, runs), `alerts` (id, severity, service, text, silenced_until, reason),
`logs` (service, environment, lines) and `runbooks` (topic, text). Logs, releases and runbooks
cannot be changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tooldrill.agent.environment import ToolError
from tooldrill.data.worlds.jobs.services import Row, ServiceSession

Days = Literal[
    "daily", "weekdays", "weekends",
    "mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays",
]  # fmt: skip


class JobsSession(ServiceSession):
    """One deployment board."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "list_services",
        "show_service",
        "deploy_version",
        "roll_back",
        "scale_service",
        "restart_service",
        "read_logs",
        "show_job",
        "set_schedule",
        "set_job_state",
        "run_job",
        "list_alerts",
        "silence_alert",
        "open_runbook",
    )

    def __init__(self, state: dict[str, Any]) -> None:
        self._now = str(state.get("now", "2026-01-01 00:00"))
        super().__init__(state)
        self._jobs = {row["name"]: dict(row) for row in state.get("jobs", ())}
        self._alerts = {row["id"]: dict(row) for row in state.get("alerts", ())}
        self._runbooks = {row["topic"]: row["text"] for row in state.get("runbooks", ())}

    def snapshot(self) -> dict[str, Any]:
        services = [{**row, "past": list(row["past"])} for _, row in sorted(self._services.items())]
        return {
            "services": services,
            "jobs": [dict(row) for _, row in sorted(self._jobs.items())],
            "alerts": [dict(row) for _, row in sorted(self._alerts.items())],
        }

    def show_job(self, job: str) -> str:
        """Show when a timed job runs and whether it is active.

        Args:
            job: Full name of the job.
        """
        row = self._job(job)
        return f"{job}: {row['days']} at {row['time']}, {row['state']}, {row['runs']} runs so far"

    def set_schedule(
        self,
        job: str,
        days: Days,
        time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")],
    ) -> str:
        """Change when a timed job runs.

        Args:
            job: Full name of the job.
            days: On which days.
            time: At which time of day, HH:MM.
        """
        row = self._job(job)
        before = f"{row['days']} at {row['time']}"
        row.update(days=days, time=time)
        return f"{job}: {before} -> {days} at {time}"

    def set_job_state(self, job: str, state: Literal["active", "paused"]) -> str:
        """Pause a timed job or let it run again. Fails when it is so already.

        Args:
            job: Full name of the job.
            state: Whether it runs when its time comes.
        """
        row = self._job(job)
        if row["state"] == state:
            raise ToolError(f"{job} is {state} already")
        row["state"] = state
        return f"{job} is {state}"

    def run_job(self, job: str) -> str:
        """Run a timed job once, now. Fails when it is paused.

        Args:
            job: Full name of the job.
        """
        row = self._job(job)
        if row["state"] == "paused":
            raise ToolError(f"{job} is paused: make it active first")
        row["runs"] += 1
        return f"{job} ran at {self._now}"

    def list_alerts(
        self,
        severity: Literal["any", "info", "warning", "critical"] = "any",
        service: str = "",
    ) -> str:
        """List the alerts that ring.

        Args:
            severity: Only alerts as grave as this.
            service: Only alerts about this service.
        """
        found = [
            f"{row['id']} [{row['severity']}] {row['service']}: {row['text']}"
            + (f" (silenced until {row['silenced_until']})" if row["silenced_until"] else "")
            for _, row in sorted(self._alerts.items())
            if severity in ("any", row["severity"]) and service in ("", row["service"])
        ]
        return "\n".join(found) or "no alerts"

    def silence_alert(self, alert_id: str, until: str, reason: str = "") -> str:
        """Keep an alert quiet for a while. Fails for a moment that has passed.

        Args:
            alert_id: Code of the alert.
            until: Moment from which it rings again, YYYY-MM-DD HH:MM.
            reason: Why it may be quiet.
        """
        if alert_id not in self._alerts:
            raise ToolError(f"no alert {alert_id}")
        moment = _moment(until)
        if moment <= _moment(self._now):
            raise ToolError(f"`until` ({until}) has passed: it is {self._now}")
        kept = f"{moment:%Y-%m-%d %H:%M}"
        self._alerts[alert_id].update(silenced_until=kept, reason=reason)
        return f"{alert_id} is silent until {kept}"

    def open_runbook(self, topic: str) -> str:
        """Read what to do about a known kind of trouble.

        Fails when nobody wrote about it.

        Args:
            topic: Heading of the runbook.
        """
        if topic not in self._runbooks:
            listed = ", ".join(sorted(self._runbooks)) or "none"
            raise ToolError(f"no runbook {topic}; there is {listed}")
        return str(self._runbooks[topic])

    def _job(self, job: str) -> Row:
        if job not in self._jobs:
            raise ToolError(f"no job {job}")
        return self._jobs[job]


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M")
    except ValueError:
        raise ToolError(f"not a moment (YYYY-MM-DD HH:MM): {text}") from None
