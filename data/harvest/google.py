"""Methods of the discovery documents in google-api-python-client (Apache-2.0), as installed.

A method's parameters are those of its path and query and, where it takes a body, the body's simple
writable fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
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
from tooldrill.data.harvest.prose import plain_text, summary

SOURCE = "google"
PACKAGE = "googleapiclient"
_STABLE = re.compile(r"^v\d+(\.\d+)*$")
_NUMBER = re.compile(r"\d+")
_RESOURCE_NAME = re.compile(r"^\^[a-z][A-Za-z]*(/(\[\^/\]\+|[A-Za-z]+))+\$$")
# Formats whose values are bytes or a list of fields: nothing a person says.
_UNSAYABLE = frozenset({"byte", "google-fieldmask", "google-duration"})
_HUGE = 10**6
_READ_ONLY = ("Output only", "[Output Only]", "Deprecated", "[Deprecated]", "Required. Deprecated")

Model = dict[str, Any]


@cache
def documents() -> dict[str, Path]:
    """The newest stable document of each API, by the API's name; empty without the package."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return {}
    root = Path(spec.origin).parent / "discovery_cache" / "documents"
    versions: dict[str, list[tuple[bool, list[int], str]]] = {}
    for path in sorted(root.glob("*.json")):
        name, _, version = path.name.removesuffix(".json").partition(".")
        if not version:
            continue
        # `directory_v1` is an API of its own within `admin`.
        part = version.rsplit("_", 1)[0] if "_v" in version else ""
        rank = (bool(_STABLE.match(version)), [int(n) for n in _NUMBER.findall(version)], path.name)
        versions.setdefault(f"{name}.{part}" if part else name, []).append(rank)
    return {name: root / max(ranks)[-1] for name, ranks in sorted(versions.items())}


def read(path: Path) -> Model:
    """The document, with its methods gathered by id under `methods_by_id`."""
    model: Model = json.loads(path.read_bytes())
    model["methods_by_id"] = {
        method["id"]: (resource, method)
        for resource, method in _methods(model, "")
        if not method.get("deprecated") and "id" in method
    }
    return model


def operation_names(model: Model) -> list[str]:
    """Ids of the methods that are not deprecated, in the document's order."""
    return list(model["methods_by_id"])


def parameter_names(model: Model, name: str) -> frozenset[str]:
    """The names of a method's path and query parameters."""
    return frozenset(model["methods_by_id"][name][1].get("parameters", {}))


def _methods(node: Model, resource: str) -> Iterator[tuple[str, Model]]:
    for method in node.get("methods", {}).values():
        yield resource, method
    for name, inner in node.get("resources", {}).items():
        yield from _methods(inner, name)


def operation(service: str, model: Model, name: str) -> Operation | None:
    """One method; None when it cannot be shown."""
    resource, method = model["methods_by_id"][name]
    parameters: dict[str, JsonSchema] = {}
    required: list[str] = []
    for key, raw in {**method.get("parameters", {}), **_body(model, method)}.items():
        needed = _is_required(raw, name)
        schema = _schema(raw, f"{name}.{key}")
        if schema is None or raw.get("deprecated") or not key.isidentifier():
            if needed:
                return None
            continue
        parameters[key] = schema
        required += [key] if needed else []
    ordered = {k: parameters[k] for k in required} | parameters
    text = summary(method.get("description", ""), TOOL_TEXT)
    made = Operation(
        SOURCE,
        name,
        service,
        name.rsplit(".", 1)[-1],
        resource,
        text,
        ordered,
        tuple(required),
        name,
    )
    return shown(made)


def _body(model: Model, method: Model) -> Model:
    """The top-level fields of the request's body that a caller writes."""
    reference = method.get("request", {}).get("$ref")
    if reference is None:
        return {}
    fields = model.get("schemas", {}).get(reference, {}).get("properties", {})
    taken = method.get("parameters", {})
    return {
        name: field
        for name, field in fields.items()
        if name not in taken
        and name not in ("kind", "etag", "selfLink")
        and not field.get("readOnly")
        and not field.get("description", "").startswith(_READ_ONLY)
    }


def _is_required(raw: Model, method: str) -> bool:
    if raw.get("required") or method in raw.get("annotations", {}).get("required", ()):
        return True
    return raw.get("location") is None and raw.get("description", "").startswith("Required.")


def _schema(raw: Model, key: str) -> JsonSchema | None:
    schema = _typed(raw, key)
    if schema is None or raw.get("description", "").startswith(("Deprecated", "Output only")):
        return None
    if raw.get("repeated"):
        schema = {"type": "array", "items": schema}
    text = summary(raw.get("description", ""), PARAMETER_TEXT)
    return {**schema, "description": text} if text else schema


def _typed(raw: Model, key: str) -> JsonSchema | None:
    kind, form = raw.get("type"), raw.get("format", "")
    if kind == "array":
        items = _typed(raw["items"], key)
        return None if items is None or "type" not in items else {"type": "array", "items": items}
    if kind == "object" and raw.get("additionalProperties", {}).get("type") == "string":
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if kind not in ("string", "integer", "number", "boolean") or form in _UNSAYABLE:
        return None
    if form in ("int64", "uint64"):
        kind = "integer"
    if "enum" in raw:
        options = [o for o in raw["enum"] if not o.endswith("_UNSPECIFIED") and o]
        return {"type": "string", "enum": few_options(options, key)} if options else None
    schema: JsonSchema = {"type": kind}
    if form in ("date-time", "google-datetime"):
        schema["format"] = "date-time"
    elif form == "date":
        schema["format"] = "date"
    _bounds(schema, raw, kind)
    return schema


def _bounds(schema: JsonSchema, raw: Model, kind: str) -> None:
    for name in ("minimum", "maximum"):
        bound = raw.get(name, "")
        if kind == "integer" and re.fullmatch(r"-?\d{1,7}", str(bound)) and int(bound) <= _HUGE:
            schema[name] = int(bound)
    pattern = raw.get("pattern", "")
    simple = simple_pattern(pattern) if pattern else None
    if simple is not None:
        schema["pattern"] = simple.text
    elif _RESOURCE_NAME.match(pattern):
        schema["pattern"] = pattern
    if "default" in raw and isinstance(raw["default"], str):
        default = _default(raw["default"], kind)
        if default is not None:
            schema["default"] = default


def _default(text: str, kind: str) -> Any:
    if kind == "boolean":
        return {"true": True, "false": False}.get(text)
    if kind == "integer":
        return int(text) if re.fullmatch(r"-?\d+", text) else None
    if kind == "string":
        return plain_text(text)
    return None
