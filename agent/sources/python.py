"""SOURCE `python:MODULE_OR_FILE[:name,name]`: functions and methods of live Python code.

The module is imported, so this is for code the user trusts; code that must not run is read by
`skills`. What a function's tool looks like is decided in `agent.introspect`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import tool_from_function
from tooldrill.agent.sources.python_module import import_target
from tooldrill.agent.tool import Registry

Function = Callable[..., Any]

# Methods that become callable only when they are looked up on an instance.
_METHOD_WRAPPERS = (staticmethod, classmethod, functools.partialmethod)


def python_registry(target: str) -> Registry:
    """The tools of `module` or `path/file.py`; see `load_functions`.

    Raises:
        TooldrillError: also when a function cannot be described as a tool.
    """
    functions = load_functions(target)
    return Registry(tool_from_function(function, name) for name, function in functions.items())


def load_functions(target: str) -> dict[str, Function]:
    """The functions of `module` or `path/file.py`, each under the name of its tool, in order.

    Without names: those in `__all__`, else the public ones that the module itself defines. With
    names (`target:name,name`): just these. A name may be dotted; the name of an object stands for
    all its public methods.

    Raises:
        TooldrillError: when the module cannot be imported, a name is not there or cannot be
            called, or two functions would be tools of the same name.
    """
    where, names = split_target(target)
    module = import_target(where)
    if names:
        found = [pair for name in names for pair in _named(where, module, name)]
    else:
        found = list(_public(where, module))
        if not found:
            raise TooldrillError(
                f"{where} defines no public function",
                f"define one, or name imported ones, or an object: python:{where}:name",
            )
    functions: dict[str, Function] = {}
    for name, function in found:
        if name in functions:
            raise TooldrillError(
                f"two tools are named {name!r}",
                "rename one of them, or leave one out with SOURCE:name,name",
            )
        functions[name] = function
    return functions


def split_target(target: str) -> tuple[str, list[str]]:
    """`module_or_file:name,name` as the module or file, and the names."""
    # A Windows path has a colon of its own, directly after the drive letter.
    head, _, tail = target.rpartition(":")
    if not head or len(head) == 1 or "/" in tail or "\\" in tail:
        return target, []
    return head, [name.strip() for name in tail.split(",") if name.strip()]


def _public(where: str, module: ModuleType) -> Iterator[tuple[str, Function]]:
    exported = getattr(module, "__all__", None)
    if exported is None:
        for name, value in vars(module).items():
            if not name.startswith("_") and _defined_in(module, value) and _readable(value):
                yield name, value
        return
    for name in exported:
        if not hasattr(module, name):
            raise TooldrillError(
                f"__all__ of {where} names {name!r}, which is not there", "take it out of __all__"
            )
        value = getattr(module, name)
        if _is_function(value) and _readable(value):
            yield name, value


def _defined_in(module: ModuleType, value: Any) -> bool:
    """Whether it is a function of this module: not imported, and not merely something callable."""
    while isinstance(value, functools.partial):
        value = value.func
    if _is_function(value):
        return getattr(value, "__module__", None) == module.__name__
    # Type aliases and the like can be called too, but their types are defined elsewhere.
    return (
        callable(value) and not inspect.isclass(value) and type(value).__module__ == module.__name__
    )


def _is_function(value: Any) -> bool:
    """Functions of Python and C, methods, partials, and what decorators make of them."""
    if inspect.isclass(value) or not callable(value):
        return False
    wrapped = inspect.getattr_static(value, "__wrapped__", None)
    return (
        isinstance(value, functools.partial)
        or inspect.isroutine(value)
        or inspect.isroutine(wrapped)
    )


def _readable(function: Function) -> bool:
    """Whether its parameters are known: of some functions written in C they are not."""
    try:
        inspect.signature(function)
    except ValueError:
        return False
    return True


def _named(where: str, module: ModuleType, dotted: str) -> Iterator[tuple[str, Function]]:
    """The function of that name, or the methods of the object of that name."""
    owner: Any = module
    value: Any = module
    path = dotted.split(".")
    for depth, part in enumerate(path):
        owner = value
        try:
            value = getattr(owner, part)
        except AttributeError as error:
            raise _missing(where, owner, path[:depth], dotted) from error
        except Exception as error:
            raise TooldrillError(
                f"{where}: {dotted} cannot be read: {type(error).__name__}: {error}",
                "name a function, a method or an object that is ready when the module is imported",
            ) from error
    if inspect.isclass(value) or (inspect.isclass(owner) and _needs_instance(owner, path[-1])):
        raise _class_named(where, value if inspect.isclass(value) else owner)
    if inspect.ismodule(value):
        raise TooldrillError(
            f"{where}: {dotted} is a module", f"name it as the source: python:{value.__name__}"
        )
    if callable(value):
        yield path[-1], value
        return
    methods = list(_methods(value))
    if not methods:
        raise TooldrillError(
            f"{where}: {dotted} is a {type(value).__name__}, which has no public methods",
            "name a function, or an object that has methods",
        )
    for name in methods:
        yield name, getattr(value, name)


def _methods(instance: Any) -> Iterator[str]:
    """The public methods in the order of their definition, base classes first.

    Nothing of the instance is touched: a property would be executed by looking at it.
    """
    names = {
        name: None
        for base in reversed(type(instance).__mro__)
        # What a subclass of dict or str inherits from it is not what it was written for.
        if base.__module__ != "builtins"
        for name in vars(base)
        if not name.startswith("_")
    }
    for name in names:
        kept = inspect.getattr_static(type(instance), name)
        if isinstance(kept, _METHOD_WRAPPERS) or (_is_function(kept) and _readable(kept)):
            yield name


def _needs_instance(owner: type, name: str) -> bool:
    kept = inspect.getattr_static(owner, name)
    return not isinstance(kept, staticmethod | classmethod)


def _class_named(where: str, owner: type) -> TooldrillError:
    return TooldrillError(
        f"{where}: {owner.__name__} is a class, and a tool must be ready to be called",
        f"make an instance there, `tools = {owner.__name__}(...)`, and name it: "
        f"python:{where}:tools",
    )


def _missing(where: str, owner: Any, path: Iterable[str], dotted: str) -> TooldrillError:
    if isinstance(owner, ModuleType):
        have = [name for name, _ in _public(where, owner)]
        inside = ".".join((where, *path))
        return TooldrillError(
            f"{inside} has no function {dotted.rpartition('.')[2]}",
            f"public functions there: {', '.join(have) or 'none'}",
        )
    have = list(_methods(owner))
    return TooldrillError(
        f"{where} has no {dotted}", f"methods of {'.'.join(path)}: {', '.join(have) or 'none'}"
    )
