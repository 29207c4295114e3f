"""The tools of the `jobs` world that look at services and change them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tooldrill.agent.environment import ToolError
from tooldrill.data.worlds.base import Session

Environment = Literal["development", "staging", "production"]
Row = dict[str, Any]


class ServiceSession(Session):
    """The services of a board; what else is on it is in `jobs_session`."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._frozen = tuple(state.get("frozen", ()))
        self._services = {
            (row["name"], row["environment"]): {**row, "past": list(row["past"]), "hard": False}
            for row in state.get("services", ())
        }
        self._releases = {(r["service"], r["version"]) for r in state.get("releases", ())}
        self._logs = {(r["service"], r["environment"]): r["lines"] for r in state.get("logs", ())}

    def list_services(
        self,
        environment: Environment,
        status: Literal["any", "running", "failing", "stopped"] = "any",
    ) -> str:
        """List the services of an environment.

        Args:
            environment: Where they run.
            status: Only services in this condition.
        """
        found = [
            f"{row['name']} {row['version']} x{row['replicas']} ({row['status']})"
            for (_, where), row in sorted(self._services.items())
            if where == environment and status in ("any", row["status"])
        ]
        return "\n".join(found) or "no services"

    def show_service(self, service: str, environment: Environment) -> str:
        """Show version, replicas and history of one service.

        Fails when the service does not run in that environment.

        Args:
            service: Full name of the service.
            environment: Where it runs.
        """
        row = self._service(service, environment)
        past = ", ".join(reversed(row["past"])) or "none"
        return (
            f"{service} in {environment}: version {row['version']}, {row['status']}, "
            f"{row['replicas']} replicas, restarted {row['restarts']} times; before: {past}"
        )

    def deploy_version(
        self, service: str, version: str, environment: Environment = "staging"
    ) -> str:
        """Put a released version of a service into an environment.

        Fails for a version that was never released or runs there already, and while the
        environment is frozen.

        Args:
            service: Full name of the service.
            version: Release to deploy.
            environment: Where to deploy it.
        """
        row = self._changeable(service, environment)
        if (service, version) not in self._releases:
            known = ", ".join(sorted(v for s, v in self._releases if s == service)) or "none"
            raise ToolError(f"{service} has no release {version}; released: {known}")
        if row["version"] == version:
            raise ToolError(f"{service} in {environment} is at {version} already")
        before = row["version"]
        row.update(version=version, past=[*row["past"], before], status="running")
        return f"{service} in {environment}: {before} -> {version}"

    def roll_back(
        self,
        service: str,
        environment: Environment,
        steps: Annotated[int, Field(ge=1, le=5)] = 1,
    ) -> str:
        """Return a service to an earlier version.

        Fails when it has fewer earlier versions than that, and while the environment is frozen.

        Args:
            service: Full name of the service.
            environment: Where to go back.
            steps: How many versions to go back.
        """
        row = self._changeable(service, environment)
        if steps > len(row["past"]):
            raise ToolError(f"only {len(row['past'])} earlier versions of {service}, not {steps}")
        before = row["version"]
        row.update(version=row["past"][-steps], past=row["past"][:-steps], status="running")
        return f"{service} in {environment}: {before} -> {row['version']}"

    def scale_service(
        self,
        service: str,
        environment: Environment,
        replicas: Annotated[int, Field(ge=0, le=40)],
    ) -> str:
        """Change how many copies of a service run. None at all stops it.

        Fails while the environment is frozen.

        Args:
            service: Full name of the service.
            environment: Where it runs.
            replicas: How many copies from now on.
        """
        row = self._changeable(service, environment)
        before = row["replicas"]
        status = "stopped" if replicas == 0 else row["status"]
        status = "running" if status == "stopped" and replicas else status
        row.update(replicas=replicas, status=status)
        return f"{service} in {environment}: {before} -> {replicas} replicas"

    def restart_service(self, service: str, environment: Environment, hard: bool = False) -> str:
        """Start a service anew, one copy after the other.

        Fails when the service is stopped.

        Args:
            service: Full name of the service.
            environment: Where it runs.
            hard: Kill all copies at once instead.
        """
        row = self._service(service, environment)
        if row["status"] == "stopped":
            raise ToolError(f"{service} in {environment} is stopped: scale it up first")
        row.update(restarts=row["restarts"] + 1, status="running", hard=hard)
        return f"{service} in {environment} was restarted{' hard' if hard else ''}, now running"

    def read_logs(
        self,
        service: str,
        environment: Environment,
        level: Literal["all", "warning", "error"] = "all",
        last_lines: Annotated[int, Field(ge=1, le=200)] = 60,
    ) -> str:
        """Read the newest lines that a service logged.

        Args:
            service: Full name of the service.
            environment: Where it runs.
            level: Only lines of this weight.
            last_lines: Most lines to show.
        """
        self._service(service, environment)
        lines = self._logs.get((service, environment), [])
        kept = [line for line in lines if level == "all" or f" {level.upper()} " in line]
        return "\n".join(kept[-last_lines:]) or "no such lines"

    def _service(self, service: str, environment: str) -> Row:
        row = self._services.get((service, environment))
        if row is None:
            elsewhere = ", ".join(sorted(e for s, e in self._services if s == service))
            hint = f"; it runs in {elsewhere}" if elsewhere else ""
            raise ToolError(f"no service {service} in {environment}{hint}")
        return row

    def _changeable(self, service: str, environment: str) -> Row:
        row = self._service(service, environment)
        if environment in self._frozen:
            raise ToolError(f"{environment} is frozen: nothing may be changed there now")
        return row
