"""What the tools and parameters of a forged world say of themselves.

Verbs by action, sentences such as careful and hasty authors write, notes on units and formats.
"""

from __future__ import annotations

import random

from tooldrill.data.forge.blueprint import Type
from tooldrill.data.forge.kinds import UNIT_NAMES, Kind
from tooldrill.data.forge.lexicon import Field
from tooldrill.data.forge.speech import article, plural, sentence

VERBS: dict[str, tuple[str, ...]] = {
    "create": ("create", "add", "new", "register", "open", "make", "insert", "enter", "set up"),
    "get": ("get", "show", "fetch", "read", "view", "inspect", "describe", "retrieve", "load"),
    "find": ("find", "search", "query", "lookup", "locate", "search for", "seek", "match"),
    "list": ("list", "browse", "enumerate", "all", "overview of", "filter", "select", "scan"),
    "count": ("count", "tally", "how many", "number of", "count up", "size of"),
    "total": ("total", "sum", "add up", "sum up", "aggregate", "compute total"),
    "update": ("update", "edit", "modify", "change", "patch", "revise", "amend", "alter"),
    "set": ("set", "change", "put", "adjust", "write", "update", "replace", "fix"),
    "status": ("set", "change", "move", "switch", "update", "advance", "put", "mark"),
    "step": ("", "do", "mark", "now", "request", "run", "apply"),
    "delete": ("delete", "remove", "drop", "erase", "purge", "discard", "destroy", "wipe"),
    "tag": ("tag", "label", "add tag to", "attach label to", "flag", "mark"),
    "untag": ("untag", "unlabel", "remove tag from", "drop label of", "unflag", "unmark"),
    "link": ("link", "attach", "assign", "connect", "bind", "tie", "couple", "place"),
    "adjust": ("adjust", "bump", "shift", "increment", "vary", "step", "add to", "correct"),
    "transfer": ("transfer", "move", "shift", "reallocate", "pass", "swap over", "carry over"),
    "note": ("annotate", "comment", "add note to", "log remark on", "append note to", "jot on"),
    "copy": ("copy", "duplicate", "clone", "replicate", "repeat", "reuse", "double"),
    "bulk": ("bulk set", "mark all", "set many", "batch move", "mass update", "set each"),
    "lines": ("add items to", "append lines to", "fill", "put items on", "extend", "load onto"),
}

_SENTENCES: dict[str, tuple[str, ...]] = {
    "create": ("Create {a}.", "Add {a} and return its id.", "Register {a} that does not exist yet.",
               "Enter a new {noun}.", "New {noun}."),
    "get": ("Show everything known about one {noun}.", "Return {a} by its id.",
            "Fetch a single {noun}.", "Read one {noun} with all its fields."),
    "find": ("Find {plural} by their {label}.", "Search the {plural} for a {label}.",
             "Look {plural} up when the id is not known.", "Search {plural} by text."),
    "list": ("List {plural}, optionally filtered.", "Show the {plural} that meet all conditions.",
             "Return the {plural}, in the order they were entered.", "All {plural}."),
    "count": ("Count {plural} that meet all conditions.", "Return how many {plural} there are.",
              "Number of {plural}."),
    "total": ("Add up the {field} of {plural}.", "Return the sum of {field} over {plural}.",
              "Total {field} of the {plural} that meet the conditions."),
    "update": ("Change fields of {a}; what is not given stays as it is.", "Edit {a}.",
               "Update one or more fields of {a}.", "Revise what is stored about {a}."),
    "set": ("Set the {field} of {a}.", "Change the {field} of {a}.",
            "Give {a} another {field}.", "Replace the {field} that {a} has."),
    "status": ("Move {a} to another {status}.", "Change the {status} of {a}.",
               "Set the {status}; only allowed steps are taken."),
    "step": ("Take {a} from {before} to {after}.", "Mark {a} as {after}; only from {before}.",
             "Move {a} on to {after}."),
    "delete": ("Delete {a} for good.", "Remove {a}.", "Erase {a}; this cannot be undone."),
    "tag": ("Put a tag on {a}.", "Add a tag to {a}.", "Tag {a}."),
    "untag": ("Take a tag off {a}.", "Remove a tag from {a}.", "Untag {a}."),
    "link": ("Link {a} to its {ref}.", "Set which {ref} {a} belongs to.",
             "Assign {a} to one {ref}."),
    "adjust": ("Raise or lower the {field} of {a} by an amount.",
               "Change the {field} of {a} relative to what it is.", "Add to the {field} of {a}."),
    "transfer": ("Move some {field} from one {noun} to another.",
                 "Take {field} away from one {noun} and give it to another.",
                 "Transfer {field} between two {plural}."),
    "note": ("Add a note to {a}.", "Write a remark down on {a}.", "Append a note to {a}."),
    "copy": ("Copy {a} under another {label}.", "Duplicate {a}; the copy gets its own id.",
             "Clone {a}."),
    "bulk": ("Set the {status} of several {plural} at once.", "Move many {plural} in one go."),
    "lines": ("Add items to {a}.", "Put one or more items on {a}.", "Append item lines to {a}."),
}  # fmt: skip


def tool_sentence(
    rng: random.Random, action: str, type_: Type, *, field: str, before: str, after: str, ref: str
) -> str:
    """The summary of a tool."""
    words = {
        "a": article(type_.noun),
        "noun": type_.noun,
        "plural": type_.entity.plural,
        "label": type_.names["label"],
        "status": type_.names["status"],
        "field": field,
        "before": before.replace("_", " "),
        "after": after.replace("_", " "),
        "ref": ref,
    }
    return rng.choice(_SENTENCES[action]).format(**words)


def prose_name(field: Field) -> str:
    """What prose calls a field: a noun, whatever the parameter is named."""
    return f"{field.names[0]} flag" if field.kind.base == "flag" else field.names[0]


def kind_note(kind: Kind) -> str:
    """What a caller must know of a value that its type does not say."""
    match kind.base:
        case "date":
            return "as YYYY-MM-DD"
        case "time":
            return "as HH:MM, 24-hour clock"
        case "minutes":
            return "in minutes"
        case "percent":
            return "in percent"
        case "money":
            return f"in {kind.unit}"
        case "num":
            return f"in {UNIT_NAMES[kind.unit]}"
    return ""


def range_note(kind: Kind) -> str:
    """The range of a numeric kind, in words."""
    return "{} to {}".format(*kind.bounds) if kind.numeric else ""


def field_sentence(rng: random.Random, type_: Type, field: Field, *, new: bool) -> str:
    """What a parameter that takes a field's value says."""
    name = type_.names["label"] if field.key == "label" else field.names[0]
    if field.kind.base == "flag":
        said = f"{name} is included" if name in _THINGS else f"it is {name}"
        return rng.choice((f"Whether {said}", f"True if {said}"))
    if field.kind.unit and field.kind.base == "int":
        many = plural(field.kind.unit)
        if name == many:
            return rng.choice((f"How many {many}", f"Number of {many}"))
        return rng.choice((f"{sentence(name)} in {many}", f"{sentence(name)}, counted in {many}"))
    options = [sentence(name), f"{sentence(name)} of the {type_.noun}"]
    options += [f"New {name}", f"The {name} it gets"] if new else [f"Its {name}"]
    return rng.choice(options)


# Switches that are named by a thing and not by what it is like.
_THINGS = frozenset(["breakfast"])


def noted(text: str, *notes: str) -> str:
    """A sentence with notes behind it: `Price, in USD, 3 to 900.`"""
    return ", ".join([text, *(note for note in notes if note)]) + "."
