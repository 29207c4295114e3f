"""Settings of the loop, its engines and watchdogs, as they stand in a config file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ProtocolName = Literal["native", "react_json"]
ConstrainMode = Literal["off", "call", "full"]
CacheType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]


class Settings(BaseModel):
    """Base of every settings section: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", validate_default=True)


class EngineSettings(Settings):
    """How a GGUF is run in process."""

    context: int = Field(2048, ge=256, description="Context length of one episode, in tokens.")
    parallel: int = Field(8, ge=1, le=256, description="Episodes decoded at once.")
    threads: int | None = Field(None, ge=1, description="CPU threads; default: physical cores.")
    gpu_layers: int = Field(-1, ge=-1, description="Layers on the GPU; -1 all, 0 none.")
    cache_type: CacheType = Field(
        "f16", description="How the cache keeps keys and values; q8_0 takes half the memory."
    )
    adapters: list[str] = Field(
        default_factory=list,
        description="LoRA adapters as GGUF files, not merged: PATH, or PATH:SCALE.",
    )


class EndpointSettings(Settings):
    """How a server that speaks the OpenAI API is asked."""

    parallel: int = Field(4, ge=1, le=256, description="Requests under way at once.")
    timeout: float = Field(300.0, gt=0, description="Seconds for a whole reply.")
    connect_timeout: float = Field(10.0, gt=0, description="Seconds to reach the server.")
    retries: int = Field(
        4, ge=0, le=20, description="Times a request is sent again after a failure that may pass."
    )
    patience: float = Field(
        120.0, ge=0, description="Seconds that a server is waited for while it is away or loading."
    )
    calls: Literal["auto", "server", "raw"] = Field(
        "auto",
        description="Who reads native calls. server: the server does; llama-server then also "
        "constrains them. raw: the reply comes as written (llama-server). auto: raw if possible.",
    )
    api_key_env: str | None = Field(None, description="Variable of the environment with the key.")
    headers_env: dict[str, str] = Field(
        {}, description="Further headers: name of the header to the variable with its value."
    )
    body: dict[str, Any] = Field(
        {},
        description="Further keys of every request, such as chat_template_kwargs; they win over "
        "tooldrill's own.",
    )


class SamplingSettings(Settings):
    """How a token is chosen, in llama-server's words and order.

    llama-server's own defaults are temperature 0.8, top_k 40, top_p 0.95 and min_p 0.05.
    """

    temperature: float = Field(0.0, ge=0, description="0 is greedy.")
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus; 1 keeps every token.")
    top_k: int = Field(0, ge=0, description="Keep the k most likely tokens; 0 keeps every token.")
    min_p: float = Field(
        0.0, ge=0, lt=1, description="Drop tokens below this share of the likeliest's probability."
    )
    repeat_penalty: float = Field(
        1.0, gt=0, description="Divides the logits of the last 64 tokens; 1 is off."
    )
    seed: int = Field(0, description="Each step of each task has its own seed made from this.")


class WatchdogSettings(Settings):
    """When the loop steps in. Off when a bare model is measured; null turns one trigger off."""

    enabled: bool = Field(False, description="Inject hints, and end replies that loop.")
    identical_failures: int | None = Field(
        3, ge=2, description="Identical failing calls in a row before a hint."
    )
    error_window: int = Field(5, ge=2, description="Observations looked back at.")
    errors_in_window: int | None = Field(4, ge=2, description="Errors among them before a hint.")
    same_results: int | None = Field(
        3, ge=2, description="Rounds of the same calls with the same results before a hint."
    )
    same_replies: int | None = Field(
        2, ge=2, description="Equal replies without a call, in a row, before a hint."
    )
    looping_repeats: int | None = Field(
        6, ge=3, description="Copies of a span of text, in a row, that end a reply."
    )
    looping_characters: int = Field(600, ge=60, description="Characters they must cover.")
    steps_left: int | None = Field(
        2, ge=1, description="Replies left when the end of the budget is announced."
    )

    @model_validator(mode="after")
    def _window_holds_the_errors(self) -> WatchdogSettings:
        if self.errors_in_window is not None and self.errors_in_window > self.error_window:
            raise ValueError("`errors_in_window` is more than `error_window`: no hint would come")
        return self


class LoopSettings(Settings):
    """How an episode is run."""

    protocol: ProtocolName = Field("native", description="How a call is written.")
    signatures: Literal["none", "names", "signature", "typed"] = Field(
        "typed", description="How much of each tool the model is shown; it is checked against all."
    )
    max_steps: int = Field(12, ge=1, description="Replies before an episode is cut off.")
    max_reply_tokens: int = Field(192, ge=16, description="Tokens before a reply is cut off.")
    max_episode_tokens: int | None = Field(
        None, ge=16, description="Generated tokens after which an episode gets no further reply."
    )
    forced_conclusion: bool = Field(
        False, description="When a budget has run out, ask once for a conclusion, without tools."
    )
    repair: bool = Field(
        False, description="Mend malformed calls with json-repair; the violation still counts."
    )
    constrain: ConstrainMode = Field(
        "off",
        description="Hold replies to a grammar of the tools: calls once they begin, or in full.",
    )
    sampling: SamplingSettings = SamplingSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
