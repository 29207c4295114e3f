"""Settings of the loop, its engines and watchdogs, as they stand in a config file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ProtocolName = Literal["native", "react_json"]


class Settings(BaseModel):
    """Base of every settings section: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", validate_default=True)


class EngineSettings(Settings):
    """How a GGUF is run in process."""

    context: int = Field(2048, ge=256, description="Context length of one episode, in tokens.")
    parallel: int = Field(8, ge=1, le=256, description="Episodes decoded at once.")
    threads: int | None = Field(None, ge=1, description="CPU threads; default: physical cores.")
    gpu_layers: int = Field(-1, ge=-1, description="Layers on the GPU; -1 all, 0 none.")


class SamplingSettings(Settings):
    """How a token is chosen."""

    temperature: float = Field(0.0, ge=0, description="0 is greedy.")
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus; 1 keeps every token.")
    top_k: int = Field(0, ge=0, description="Keep the k most likely tokens; 0 keeps every token.")
    seed: int = Field(0, description="Seed of the first episode; each has its own from here.")


class WatchdogSettings(Settings):
    """When the loop steps in. Off when a bare model is measured."""

    enabled: bool = Field(False, description="Inject hints at all.")
    identical_failures: int = Field(
        3, ge=2, description="Identical failing calls in a row before a hint."
    )
    error_window: int = Field(5, ge=2, description="Observations looked back at.")
    errors_in_window: int = Field(4, ge=2, description="Errors among them before a hint.")


class LoopSettings(Settings):
    """How an episode is run."""

    protocol: ProtocolName = Field("native", description="How a call is written.")
    max_steps: int = Field(12, ge=1, description="Replies before an episode is cut off.")
    max_reply_tokens: int = Field(192, ge=16, description="Tokens before a reply is cut off.")
    repair: bool = Field(
        False, description="Mend malformed calls with json-repair; the violation still counts."
    )
    sampling: SamplingSettings = SamplingSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
