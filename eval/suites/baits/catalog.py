"""Every class of violation with the baits that tempt to it."""

from __future__ import annotations

from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.suites.baits import arguments, conduct, replies, values
from tooldrill.eval.suites.baits.bait import Bait

BAITS: dict[ViolationClass, tuple[Bait, ...]] = {
    ViolationClass.MALFORMED_CALL: replies.MALFORMED_CALL,
    ViolationClass.MULTIPLE_CALLS: replies.MULTIPLE_CALLS,
    ViolationClass.UNKNOWN_TOOL: replies.UNKNOWN_TOOL,
    ViolationClass.TERMINATOR_AS_TOOL: replies.TERMINATOR_AS_TOOL,
    ViolationClass.BORROWED_ARGUMENT: arguments.BORROWED_ARGUMENT,
    ViolationClass.STICKY_ARGUMENT: arguments.STICKY_ARGUMENT,
    ViolationClass.INVENTED_ARGUMENT: arguments.INVENTED_ARGUMENT,
    ViolationClass.MISSING_ARGUMENT: arguments.MISSING_ARGUMENT,
    ViolationClass.WRONG_TYPE: values.WRONG_TYPE,
    ViolationClass.INVALID_VALUE: values.INVALID_VALUE,
    ViolationClass.REPEATED_FAILURE: conduct.REPEATED_FAILURE,
    ViolationClass.NEEDLESS_CALL: conduct.NEEDLESS_CALL,
    ViolationClass.MISSING_CALL: conduct.MISSING_CALL,
    ViolationClass.FABRICATED_SUCCESS: conduct.FABRICATED_SUCCESS,
    ViolationClass.NO_CONCLUSION: conduct.NO_CONCLUSION,
}
