"""Functions of harmless modules of Python's standard library, by their signatures and docstrings.

Types come from hints where there are any, else from the default, else from what the library itself
always means by a parameter's name (`width` is a number, `filename` a string). A function with a
required parameter of unknown type is left out. Only the modules listed here are imported, and
nothing of them is called.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from tooldrill.agent.tool import JsonSchema
from tooldrill.data.harvest.operation import TOOL_TEXT, Operation, shown
from tooldrill.data.harvest.prose import summary
from tooldrill.data.values.words import word_list

SOURCE = "stdlib"

# None of these does anything when it is imported.
MODULES = tuple(
    word_list(
        """
        base64 binascii bisect calendar cmath compileall difflib email.utils filecmp fileinput
        fnmatch getpass glob gzip hashlib heapq hmac html ipaddress linecache locale math
        mimetypes os os.path plistlib py_compile random re secrets shelve shlex shutil signal
        socket statistics string subprocess tarfile tempfile textwrap timeit unicodedata
        urllib.parse urllib.request uuid venv webbrowser xml.sax.saxutils zipapp zipfile zlib
        """
    )
)

_TEXTS = frozenset(
    word_list(
        """
        text string s name path filename file url uri prefix suffix pattern pat host hostname
        username user password key value word line code cmd command src dst source dest
        destination old new title message fmt format encoding charset mode pathname root
        directory dir base start top topdown module address addr query domain label locale type
        ext separator sep delimiter dirname base_name root_dir base_dir extract_dir f1 f2 a_str
        b_str env_dir archive_name member topic group filepath target link_name string1 string2
        newline target_dir db form chr unistr zone interface service protocol realm x_str
        oldname newname file1 file2 dir1 dir2 cfile dfile lang language mimetype scheme expr
        stmt setup prompt quote_from_bytes linkname
        """
    )
)
_COUNTS = frozenset(
    word_list(
        """
        n k width height count size year month day num limit max maxsize minimum maximum port
        length depth level index timeout seconds nbytes signum pid uid gid w l hour minute mday
        fd flag maxlevels years months days hour minutes number times repeat theyear themonth
        cutoff_count buffer_size bufsize backlog nlines lineno which priority status y1 y2
        firstweekday weekday
        """
    )
)
_NUMBERS = frozenset(
    word_list(
        """
        x y z a b r g h s_value secs mu sigma alpha beta low high mean lambd
        """
    )
)
_NUMBER_LISTS = frozenset(
    word_list(
        """
        data seq values weights p q population
        """
    )
)
_TEXT_LISTS = frozenset(
    word_list(
        """
        possibilities lines words names files paths args split_command
        """
    )
)

_NUMBER_LIST: JsonSchema = {"type": "array", "items": {"type": "number"}}
_BY_NAME: tuple[tuple[frozenset[str], JsonSchema], ...] = (
    (_TEXTS, {"type": "string"}),
    (_COUNTS, {"type": "integer"}),
    (_NUMBERS, {"type": "number"}),
    (_NUMBER_LISTS, _NUMBER_LIST),
    (_TEXT_LISTS, {"type": "array", "items": {"type": "string"}}),
)
_BY_TYPE = {bool: "boolean", int: "integer", float: "number", str: "string"}
_BY_HINT = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
_NUMERIC_MODULES = ("math", "cmath", "statistics", "random", "colorsys")

Model = dict[str, Callable[..., Any]]


@cache
def documents() -> dict[str, str]:
    """The modules this Python has, by name."""
    return {name: name for name in MODULES if _module(name) is not None}


@cache
def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        # Some modules belong to one platform or one Python only.
        return None


def read(name: str) -> Model:
    """The module's own public functions by name."""
    module = _module(name)
    return dict(_functions(module)) if module is not None else {}


def operation_names(model: Model) -> list[str]:
    """The functions' names, sorted."""
    return list(model)


def parameter_names(model: Model, name: str) -> frozenset[str]:
    """The names of a function's parameters; none when it does not say."""
    try:
        return frozenset(inspect.signature(model[name]).parameters)
    except ValueError:
        return frozenset()


def _functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    public = getattr(module, "__all__", None)
    names = sorted(public if public is not None else vars(module))
    for name in names:
        function = getattr(module, name, None)
        if name.startswith("_") or not inspect.isroutine(function) or not function.__doc__:
            continue
        home = str(getattr(function, "__module__", "") or module.__name__)
        if public is not None or home.lstrip("_").startswith(module.__name__.rpartition(".")[2]):
            yield name, function


def operation(service: str, model: Model, name: str) -> Operation | None:
    """One function; None when a required parameter's type is unknown."""
    function = model[name]
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        # A builtin that does not say what it takes.
        return None
    parameters: dict[str, JsonSchema] = {}
    required: list[str] = []
    for parameter in found:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        schema = _schema(parameter, service)
        if schema is not None:
            parameters[parameter.name] = schema
            required += [parameter.name] if parameter.default is parameter.empty else []
        elif parameter.default is parameter.empty:
            return None
    text = summary(_description(function), TOOL_TEXT)
    if not text or text.startswith(f"{name}("):
        return None
    key = f"{service}.{name}"
    return shown(Operation(SOURCE, key, service, name, "", text, parameters, tuple(required), name))


def _description(function: Callable[..., Any]) -> str:
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    # Some begin with the signature once more.
    begun = [p for p in paragraphs if "->" not in p and not p.startswith(f"{function.__name__}(")]
    return begun[0].replace("*", "") if begun else ""


def _schema(parameter: inspect.Parameter, module: str) -> JsonSchema | None:
    default = parameter.default
    hint = getattr(parameter.annotation, "__name__", str(parameter.annotation))
    if hint in _BY_HINT:
        schema: JsonSchema = {"type": _BY_HINT[hint]}
    elif type(default) in _BY_TYPE:
        schema = {"type": _BY_TYPE[type(default)]}
    else:
        named = (of for names, of in _BY_NAME if parameter.name in names)
        known = next(named, None)
        if known is None:
            return None
        schema = dict(known)
        if module in _NUMERIC_MODULES and schema["type"] == "string":
            schema = {"type": "number"}
        elif module not in _NUMERIC_MODULES and known is _NUMBER_LIST:
            schema = {"type": "string"}
    return {**schema, "default": default} if type(default) in _BY_TYPE else schema
