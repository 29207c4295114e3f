"""`malformed_call` and `multiple_calls`: replies that break the protocol itself."""

from __future__ import annotations

import random

from tooldrill.agent.call import Call
from tooldrill.agent.messages import calls_message
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.damage import applicable, damaged_message
from tooldrill.data.corrupt.moment import Corruption, Moment


class MalformedCall:
    """The right call in text that cannot be read (see `damage`)."""

    kind = ViolationClass.MALFORMED_CALL

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        if moment.call is None:
            return None
        kind = rng.choice(applicable(moment.call))
        cut = round(rng.uniform(0.3, 0.95), 2)
        return Corruption(self.kind, damaged_message(moment.call, kind, cut), kind)


class MultipleCalls:
    """The right call and a second one in the same reply.

    The second is the one that would come next, an earlier one of the episode that went well, or the
    same again. In `react_json`
    two objects cannot be read at all: there this breach shows as `malformed_call`.
    """

    kind = ViolationClass.MULTIPLE_CALLS

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        if moment.call is None:
            return None
        earlier = [past.call for past in moment.past if not past.error]
        second, variant = moment.call, "twice"
        if moment.following is not None and rng.random() < 0.8:
            second, variant = moment.following, "ahead"
        elif earlier and rng.random() < 0.5:
            second, variant = rng.choice(earlier), "earlier"
        calls: list[Call] = [moment.call, second]
        return Corruption(self.kind, calls_message(calls), variant)
