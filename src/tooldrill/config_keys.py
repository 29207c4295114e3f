"""Which keys a config may have, and which valid one is nearest to a wrong one.

Read from the pydantic models, so that it cannot differ from what is accepted.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from tooldrill.agent.names import nearest
from tooldrill.yaml_source import KeyPath


def dotted(path: KeyPath) -> str:
    """`("eval", "baselines", 0)` as `eval.baselines.0`."""
    return ".".join(str(key) for key in path)


def annotation_at(model: type[BaseModel], path: KeyPath) -> Any:
    """The type of the value at `path`.

    Raises:
        KeyError: when there is no such key; its argument is the index of the first wrong key.
    """
    annotation: Any = model
    for index, key in enumerate(path):
        section = section_model(annotation)
        if section is not None and isinstance(key, str) and key in section.model_fields:
            annotation = section.model_fields[key].annotation
        elif (item := _item(annotation)) is not None and str(key).isdecimal():
            annotation = item
        else:
            raise KeyError(index)
    return annotation


def section_model(annotation: Any) -> type[BaseModel] | None:
    """The model of a section, None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType):
        found = [section_model(option) for option in get_args(annotation)]
        return next((model for model in found if model is not None), None)
    return None


def all_paths(model: type[BaseModel], prefix: KeyPath = ()) -> Iterator[KeyPath]:
    """Every section and key, without list items."""
    for name, field in model.model_fields.items():
        path = (*prefix, name)
        yield path
        section = section_model(field.annotation)
        if section is not None:
            yield from all_paths(section, path)


def suggestion(model: type[BaseModel], path: KeyPath) -> str:
    """What to say of an unknown key: the nearest valid one, else the keys there are.

    A near name in the same section is given alone; one elsewhere with its whole path.
    """
    parent, key = path[:-1], str(path[-1])
    try:
        section = section_model(annotation_at(model, parent))
    except KeyError:
        section = None
    siblings = list(section.model_fields) if section else []
    near = nearest(key, siblings)
    if near:
        return f"did you mean {near}?"
    elsewhere = [other for other in all_paths(model) if str(other[-1]) == key]
    if not elsewhere:
        names = sorted({str(other[-1]) for other in all_paths(model)})
        close = nearest(key, names)
        elsewhere = [other for other in all_paths(model) if close and other[-1] == close]
    if elsewhere:
        whole = nearest(dotted(path), [dotted(other) for other in elsewhere], cutoff=0.0)
        return f"did you mean {whole}?"
    return f"known here: {', '.join(siblings)}" if siblings else "no such section"


def nearest_path(model: type[BaseModel], path: KeyPath) -> str | None:
    """The valid path most like a wrong one."""
    return nearest(dotted(path), [dotted(other) for other in all_paths(model)])


def _item(annotation: Any) -> Any:
    if get_origin(annotation) in (list, tuple):
        return get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        found = [_item(option) for option in get_args(annotation)]
        return next((item for item in found if item is not None), None)
    return None
