"""Operations of the service models in botocore (Apache-2.0), read from the installed package.

Left out: what is deprecated, streams and blobs, what a client fills in by itself.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tooldrill.agent.tool import JsonSchema
from tooldrill.data.harvest.operation import (
    PARAMETER_TEXT,
    TOOL_TEXT,
    Operation,
    few_options,
    shown,
)
from tooldrill.data.harvest.patterns import simple_pattern
from tooldrill.data.harvest.prose import summary

SOURCE = "aws"
PACKAGE = "botocore"
DEEPEST = 3  # levels of structures described field by field
# The service model's protocol fields: no person would ask for them.
_EXOTIC = re.compile(
    r"^(Content(MD5|Length|Encoding|Disposition)|ExpectedBucketOwner|SSE.*|CopySourceSSE.*|.*MD5"
    r"|RequestPayer|Checksum.*|.*IdempotencyToken|IdempotencyToken|x-amz.*|IfMatch|IfNoneMatch)$"
)
_SCALARS = {
    "string": "string", "character": "string", "integer": "integer", "long": "integer",
    "double": "number", "float": "number", "boolean": "boolean", "timestamp": "string",
}  # fmt: skip
_HUGE = 10**6  # bounds beyond this say nothing to a reader
_LONG = 256

Model = dict[str, Any]


@cache
def documents() -> dict[str, Path]:
    """The newest service model of each service, by its folder's name; empty without botocore."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return {}
    root = Path(spec.origin).parent / "data"
    found: dict[str, Path] = {}
    for folder in sorted(root.iterdir()):
        models = sorted(folder.glob("*/service-2.json*"), key=lambda path: path.parts[-2])
        if models:
            found[folder.name] = models[-1]
    return found


def read(path: Path) -> Model:
    """The model as it is in the package."""
    data = path.read_bytes()
    model: Model = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return model


def operation_names(model: Model) -> list[str]:
    """The operations that are not deprecated, in the model's order."""
    return [name for name, op in model["operations"].items() if not op.get("deprecated")]


def parameter_names(model: Model, name: str) -> frozenset[str]:
    """The names of an operation's parameters, those that are left out among them."""
    raw = model["operations"][name]
    members = model["shapes"][raw["input"]["shape"]].get("members", {}) if "input" in raw else {}
    return frozenset(members)


def operation(service: str, model: Model, name: str) -> Operation | None:
    """One operation; None when it cannot be shown or called with JSON."""
    raw = model["operations"][name]
    shape = model["shapes"][raw["input"]["shape"]] if "input" in raw else {}
    required = shape.get("required", [])
    parameters: dict[str, JsonSchema] = {}
    for member, reference in shape.get("members", {}).items():
        schema = _member(model["shapes"], reference, 0, f"{service}.{name}.{member}")
        if schema is not None and not (_EXOTIC.match(member) and member not in required):
            parameters[member] = schema
        elif member in required:
            return None
    return shown(
        Operation(
            SOURCE, f"{service}.{name}", service, name, "",
            summary(raw.get("documentation", ""), TOOL_TEXT), parameters, tuple(required), name,
        )
    )  # fmt: skip


def _member(shapes: Model, reference: Model, depth: int, key: str) -> JsonSchema | None:
    if reference.get("deprecated") or reference.get("idempotencyToken"):
        return None
    schema = _shape(shapes, shapes[reference["shape"]], depth, key)
    if schema is None:
        return None
    documentation = reference.get("documentation") or shapes[reference["shape"]].get(
        "documentation", ""
    )
    text = summary(documentation, PARAMETER_TEXT)
    return {**schema, "description": text} if text else schema


def _shape(shapes: Model, shape: Model, depth: int, key: str) -> JsonSchema | None:
    kind = shape["type"]
    if shape.get("streaming") or shape.get("eventstream") or shape.get("deprecated"):
        return None
    if kind == "list":
        items = _shape(shapes, shapes[shape["member"]["shape"]], depth + 1, key)
        return None if items is None else {"type": "array", "items": items}
    if kind == "map":
        values = _shape(shapes, shapes[shape["value"]["shape"]], depth + 1, key)
        return None if values is None else {"type": "object", "additionalProperties": values}
    if kind == "structure":
        return _structure(shapes, shape, depth, key)
    if kind not in _SCALARS or shape.get("jsonvalue"):
        return None
    return _scalar(shape, kind, key)


def _structure(shapes: Model, shape: Model, depth: int, key: str) -> JsonSchema | None:
    if depth >= DEEPEST:
        return None
    required = shape.get("required", [])
    properties: dict[str, JsonSchema] = {}
    for name, reference in shape["members"].items():
        schema = _member(shapes, reference, depth + 1, f"{key}.{name}")
        if schema is not None:
            properties[name] = {k: v for k, v in schema.items() if k != "description" or not depth}
        elif name in required:
            return None
    if not properties:
        return None
    made: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _scalar(shape: Model, kind: str, key: str) -> JsonSchema:
    schema: JsonSchema = {"type": _SCALARS[kind]}
    if kind == "timestamp":
        return {**schema, "format": "date-time"}
    if "enum" in shape:
        return {**schema, "enum": few_options(shape["enum"], key)}
    low, high = shape.get("min"), shape.get("max")
    if kind in ("integer", "long"):
        for name, bound in (("minimum", low), ("maximum", high)):
            if bound is not None and abs(bound) <= _HUGE and float(bound).is_integer():
                schema[name] = int(bound)
    if kind == "string":
        pattern = simple_pattern(shape["pattern"]) if "pattern" in shape else None
        if pattern is not None:
            schema["pattern"] = pattern.text
        if low is not None and 1 < low <= _LONG:
            schema["minLength"] = int(low)
        if high is not None and high <= _LONG:
            schema["maxLength"] = int(high)
    return schema
