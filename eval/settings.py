"""Settings of the evaluation stage, as they stand in a config file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from tooldrill.agent.settings import EndpointSettings, EngineSettings, LoopSettings, Settings
from tooldrill.export.settings import Quantization

_VARIED = {"loop": LoopSettings.model_fields, "engine": EngineSettings.model_fields}


class BaselineSettings(Settings):
    """A model to compare with: a GGUF file or an OpenAI-compatible endpoint."""

    name: str = Field(description="As the report shows it.")
    gguf: str | None = None
    endpoint: str | None = Field(None, description="Base URL, http://host:port/v1.")
    model: str | None = Field(
        None, description="Model name sent to the endpoint; its only or first one where not given."
    )
    server: EndpointSettings | None = Field(
        None, description="How this endpoint is asked; eval.endpoint where not given."
    )
    adapters: list[str] = Field(
        default_factory=list,
        description="LoRA adapters on the GGUF file, not merged: PATH, or PATH:SCALE.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> BaselineSettings:
        if (self.gguf is None) == (self.endpoint is None):
            raise ValueError("give either `gguf` or `endpoint`")
        if self.endpoint is None and (self.model is not None or self.server is not None):
            raise ValueError("`model` and `server` are an endpoint's")
        if self.adapters and self.gguf is None:
            raise ValueError("`adapters` need a `gguf`; a server loads its own")
        return self


class EvalSettings(Settings):
    """The held-out tasks and the conditions they are run under."""

    seed: int = Field(1000, description="Seed of the tasks.")
    worlds: list[str] = Field(["calendar", "contacts"], min_length=1)
    tasks: int = Field(60, ge=1, description="Tasks in all.")
    tools: tuple[int, int] = Field((3, 10), description="Fewest and most tools offered in a task.")
    recovery: float = Field(
        0.2, ge=0, le=1, description="Share whose history ends with a failed call."
    )
    restraint: float = Field(
        0.15, ge=0, le=1, description="Share in which nothing is to be called."
    )
    quantization: Quantization = "Q8_0"
    suites: list[str] = Field(
        default_factory=list,
        description="Further tasks: contract, unseen, counterfactual, recovery, restraint, or DIR.",
    )
    suite_tasks: int | None = Field(
        None, ge=1, description="Tasks of each suite; a suite's own number when null."
    )
    matrix: dict[str, list[Any]] = Field(
        default_factory=dict,
        description="Other conditions, by key: quantization, tools, loop.KEY, engine.KEY, and the "
        "values to try.",
    )
    matrix_mode: Literal["each", "product"] = Field(
        "each", description="Vary one key at a time, or all of them with each other."
    )
    loop: LoopSettings = LoopSettings()
    engine: EngineSettings = EngineSettings()
    endpoint: EndpointSettings = EndpointSettings()
    baselines: list[BaselineSettings] = Field(default_factory=list)

    @model_validator(mode="after")
    def _matrix_can_be_run(self) -> EvalSettings:
        from tooldrill.eval.cells import changed_settings

        for axis, values in self.matrix.items():
            section, _, key = axis.partition(".")
            known = _VARIED.get(section, {})
            if axis not in {"quantization", "tools"} and key.partition(".")[0] not in known:
                raise ValueError(
                    f"matrix: {axis!r} cannot be varied; name quantization, tools, loop.KEY or "
                    "engine.KEY"
                )
            for value in values:
                try:
                    changed_settings(self, {axis: value})
                except ValueError as error:
                    why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
                    raise ValueError(f"matrix: {axis} cannot be {value!r}: {why}") from None
        return self
