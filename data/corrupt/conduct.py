"""Breaches that only the episode shows: the reply itself may be a perfect call or sentence.

`repeated_failure`, `needless_call`, `missing_call`, `fabricated_success`, `no_conclusion`.
"""

from __future__ import annotations

import random

from tooldrill.agent.call import Call
from tooldrill.agent.tool import Tool
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.moment import Corruption, Moment
from tooldrill.data.corrupt.plausible import plausible_value


class RepeatedFailure:
    """The newest failed call once more, after its error."""

    kind = ViolationClass.REPEATED_FAILURE

    def apply(self, moment: Moment, _rng: random.Random) -> Corruption | None:
        # A reply that could not be read is remembered as a call without a name.
        failed = [past.call for past in moment.past if past.error and past.call.name]
        if not failed or (moment.call is not None and moment.has_failed(moment.call)):
            return None
        return Corruption.of_call(self.kind, failed[-1], "newest")


class NeedlessCall:
    """A valid call where the task asks for none."""

    kind = ViolationClass.NEEDLESS_CALL

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        if moment.needs_calls or not len(moment.registry):
            return None
        tool = rng.choice(moment.registry.tools)
        return Corruption.of_call(self.kind, _sample_call(tool, rng), "valid")


class MissingCall:
    """A conclusion while a call is still due."""

    kind = ViolationClass.MISSING_CALL

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        if moment.call is None or moment.last_failed:
            return None
        variant = "answer" if rng.random() < 0.75 else "bare"
        text = moment.answer if variant == "answer" else "Done."
        return Corruption.of_conclusion(self.kind, text, variant)


class FabricatedSuccess:
    """The conclusion of a success right after the needed call failed."""

    kind = ViolationClass.FABRICATED_SUCCESS

    def apply(self, moment: Moment, _rng: random.Random) -> Corruption | None:
        if not moment.last_failed:
            return None
        if moment.claim:
            return Corruption.of_conclusion(self.kind, moment.claim, "claim")
        if moment.call is None:
            return None
        return Corruption.of_conclusion(self.kind, moment.answer, "answer")


class NoConclusion:
    """The last call once more when all is done: the reply by which an episode never ends."""

    kind = ViolationClass.NO_CONCLUSION

    def apply(self, moment: Moment, _rng: random.Random) -> Corruption | None:
        if moment.call is not None or not moment.past or moment.last_failed:
            return None
        return Corruption.of_call(self.kind, moment.past[-1].call, "again")


def _sample_call(tool: Tool, rng: random.Random) -> Call:
    """A valid call with the required arguments and now and then an option."""
    chosen = [p for p in tool.parameters if p.required or rng.random() < 0.2]
    return Call(tool.name, {p.name: plausible_value(tool, p, rng) for p in chosen})
