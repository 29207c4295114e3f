"""What every source gives: an operation with its parameters, before it is shown as a tool.

How many parameters a small model can be shown is decided here; how names are styled: see `styles`.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.signature import SignatureLevel, signature, type_text
from tooldrill.agent.tool import JsonSchema, Tool

MOST_PARAMETERS = 12
LONGEST_SIGNATURE = 700
LONGEST_OPTION = 120  # characters of an optional parameter's type: beyond, it is exotic
TOOL_TEXT = 200  # characters of a tool's description
PARAMETER_TEXT = 120  # characters of a parameter's description
MOST_OPTIONS = 10  # values of an enum


@dataclass(frozen=True)
class Operation:
    """One callable thing of a service.

    Attributes:
        name: as the source writes it (`PutObject`, `calendar.events.insert`, `shorten`).
        service: what it belongs to, as the source writes it (`s3`, `calendar`, `textwrap`).
        method: the words of what is done, an identifier (`PutObject`, `setIamPolicy`).
        resource: what it is done to where the source says so apart (`events`), else empty.
        description: plain text, short.
        parameters: JSON Schemas by name, in order.
        required: names of the required ones.
        key: under which its service knows it.
    """

    source: str
    name: str
    service: str
    method: str
    resource: str
    description: str
    parameters: dict[str, JsonSchema]
    required: tuple[str, ...]
    key: str = ""

    def tool(self, name: str, renamed: dict[str, str]) -> Tool:
        """The operation under another name, with other parameter names."""
        properties = {renamed.get(key, key): schema for key, schema in self.parameters.items()}
        required = [renamed.get(key, key) for key in self.required]
        schema = {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
        return Tool(name, self.description, schema)


def fixed_rng(*parts: str) -> random.Random:
    """A generator that is the same for the same operation everywhere and always."""
    return random.Random("harvest:" + ":".join(parts))


def share_of(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32


def few_options(options: list[Any], *key: str) -> list[Any]:
    """An enum a signature can show: all of a short one, a fixed choice of a long one."""
    if len(options) <= MOST_OPTIONS and sum(len(str(o)) for o in options) <= 160:
        return options
    chosen = set(fixed_rng(*key).sample(range(len(options)), min(MOST_OPTIONS - 2, len(options))))
    return [option for index, option in enumerate(options) if index in chosen]


def shown(operation: Operation) -> Operation | None:
    """The operation with no more parameters than can be shown; None when that is not possible.

    Required ones stay; of the optional ones a random choice that is fixed for the operation.
    """
    required = [name for name in operation.parameters if name in operation.required]
    optional = [
        name
        for name, schema in operation.parameters.items()
        if name not in operation.required and len(type_text(schema)) <= LONGEST_OPTION
    ]
    if len(required) > MOST_PARAMETERS or not operation.name:
        return None
    rng = fixed_rng(operation.source, operation.name)
    most = rng.randint(5, MOST_PARAMETERS)
    optional = rng.sample(optional, max(0, min(len(optional), most - len(required))))
    while True:
        keep = {*required, *optional}
        kept = {key: schema for key, schema in operation.parameters.items() if key in keep}
        candidate = Operation(
            operation.source, operation.name, operation.service, operation.method,
            operation.resource, operation.description, kept, tuple(required), operation.key,
        )  # fmt: skip
        line = signature(candidate.tool(operation.name, {}), SignatureLevel.TYPED)
        if len(line) <= LONGEST_SIGNATURE:
            return candidate
        if not optional:
            return None
        optional.pop()
