"""Forged prompts that need no call: talk, wishes beyond the tools, requests that lack something."""

from __future__ import annotations

# ruff: noqa: E501 - wordings stand on one line
from tooldrill.data.forge import pools
from tooldrill.data.forge.asks import ask, create
from tooldrill.data.forge.blueprint import Blueprint, Op
from tooldrill.data.forge.calls import changes
from tooldrill.data.forge.kinds import shown
from tooldrill.data.forge.lexicon import Field, domains
from tooldrill.data.forge.scene import Scene, by_id, label_words, new_label
from tooldrill.data.forge.shapes import Shape
from tooldrill.data.forge.speech import article, sentence
from tooldrill.data.forge.templates import nothing_yet, template
from tooldrill.data.forge.voices import reserved, surrounded, voiced
from tooldrill.data.tasks.task import Ending, Split
from tooldrill.data.worlds.book import Draft, Template


def restrain_templates(plan: Blueprint, split: Split) -> tuple[Template, ...]:
    """The shapes of restraint that this world allows."""
    shapes: list[Shape] = [nothing_yet, beyond_the_tools, foreign_things, quoted]
    if any(op.action in _LACKING for op in plan.ops):
        shapes.append(value_missing)
    if any(op.action in _AIMLESS for op in plan.ops):
        shapes.append(which_one)
    if any(op.action in _REMOVABLE for op in plan.ops):
        shapes.append(tool_missing)
    return tuple(template(shape, plan, split, restrain=True) for shape in shapes)


def beyond_the_tools(scene: Scene) -> Draft:
    """A wish that no tool of any kind here could meet."""
    draw = scene.draw
    wish, short = draw.pick(
        (
            (f"ring {pools.person(draw)} and ask for a discount", "make phone calls"),
            (f"translate this into Finnish: '{pools.phrase(draw)}'", "translate with my tools"),
            (f"find out how warm it gets in {pools.city(draw)} tomorrow", "see the weather"),
            (
                f"order lunch for {draw.number(3, 20)} people from {pools.company(draw)}",
                "order food",
            ),
            (f"print {draw.number(2, 80)} copies of the page on my screen", "print"),
            (f"drive to {pools.city(draw)} and fetch my suitcase", "drive anywhere"),
            (f"draw a logo for {pools.company(draw)}", "draw"),
            (f"tell {pools.first_name(draw)}'s computer to restart", "restart computers"),
            (f"book me a train to {pools.city(draw)}", "book journeys"),
            (f"take a photo of {pools.street(draw)}", "take photos"),
            (f"water the plants while I am in {pools.city(draw)}", "water plants"),
            (f"check whether {pools.company(draw)} is listed on the stock exchange",
             "look up stock prices"),
            (f"record a voice message for {pools.person(draw)}", "record voices"),
            (f"play something by {pools.person(draw)} on the loudspeakers", "play music"),
            (f"translate '{pools.catch_phrase(draw)}' into sign language", "translate"),
            (f"prove that {draw.number(100, 999)} is the sum of two primes", "prove theorems"),
        )
    )  # fmt: skip
    text = voiced(draw, scene.split, wish, imperative=True)
    kept = scene.plan.types[0].entity.plural
    forms = (
        "I am afraid I cannot {short}: my tools only deal with {kept} and the like.",
        "I cannot {short}. What I can do is about {kept}.",
        "Sorry, none of my tools can do that; they are for {kept}.",
        "That is not possible from here: there is no tool to {short}.",
    )
    answer = draw.pick(forms).format(short=short, kept=kept)
    prompt = surrounded(draw, scene.split, text, [])
    return Draft(prompt, scene.state, [], answer, ending=Ending.ADMIT)


def foreign_things(scene: Scene) -> Draft:
    """A request about things that this world does not keep."""
    draw = scene.draw
    here = {type_.noun for type_ in scene.plan.types}
    domain = draw.pick(domains(scene.split))
    others = [e for e in domain.entities if e.noun not in here]
    entity = draw.pick(others)
    label = entity.label.kind.draw(draw)
    forms = ("delete the {noun} {label}", "show me the {noun} {label}", "add {a} called {label}",
             "archive the {noun} {label}", "change the {field} of the {noun} {label}",
             "look up the {noun} {label}", "make a list of all {plural}", "copy the {noun} {label}")  # fmt: skip
    words = draw.pick(forms).format(
        noun=entity.noun, a=article(entity.noun), label=label, plural=entity.plural,
        field=draw.pick([f for f in entity.fields if f.kind.base != "flag"]).names[0],
    )  # fmt: skip
    text = voiced(draw, scene.split, words, imperative=True)
    kept = " and ".join(type_.entity.plural for type_ in scene.plan.types[:2])
    answers = (
        "I have no tool for {plural}, so I cannot do that.",
        "I cannot do that: my tools know {kept} and no {plural}.",
        "Sorry, {plural} are not something I have a tool for.",
        "That is not possible here, there is no tool for {plural} among mine.",
    )
    answer = draw.pick(answers).format(plural=entity.plural, kept=kept)
    prompt = surrounded(draw, scene.split, text, [])
    return Draft(prompt, scene.state, [], answer, ending=Ending.ADMIT)


def quoted(scene: Scene) -> Draft:
    """A question whose answer stands in the message itself."""
    draw, type_ = scene.draw, scene.draw.pick(scene.plan.types)
    field = draw.pick([f for f in type_.fields if f.kind.base != "flag"] or [type_.entity.label])
    value = field.kind.draw(draw)
    label = new_label(draw, type_, scene.records(type_))
    line = f"{type_.noun} {label}: {field.names[0]} {shown(value)}"
    forms = (
        "My notes say '{line}'. Which {name} do my notes give? No need to look it up.",
        '"{line}" - which {name} is meant there? Just read the line.',
        "In the line '{line}', what is the {name}? Only the line counts.",
        "Someone wrote '{line}'. What {name} did they write? Do not check anything.",
    )
    text = draw.pick(reserved(scene.split, forms)).format(line=line, name=field.names[0])
    answer = f"It says {shown(value)}."
    return Draft(text, scene.state, [], answer, (shown(value),))


_LACKING = ("set", "tag", "note", "copy", "status", "create")
_AIMLESS = ("step", "delete", "set", "tag", "note")
# Changes that no other tool could bring about.
_REMOVABLE = ("delete", "tag", "untag", "note", "link", "create", "lines", "copy")


def value_missing(scene: Scene) -> Draft | None:
    """A request that does not say what the tool needs: ask for it."""
    draw = scene.draw
    op = draw.pick([op for op in scene.plan.ops if op.action in _LACKING])
    type_ = op.type
    if op.action == "create":
        return _create_without(scene, op)
    record = scene.fresh(type_)
    if record is None:
        return None
    it = by_id(scene, type_, record).words if draw.chance(0.6) else ""
    it = it or label_words(draw, type_, record["label"])
    what = {"tag": "tag", "note": "note", "copy": f"new {type_.names['label']}"}.get(op.action)
    if op.action == "status":
        what = f"new {type_.names['status']}"
    field: Field | None = op.field
    if field is not None:
        what = draw.pick((f"new {type_.names[field.key]}", f"{field.names[0]}"))
    forms = _WITHOUT.get(op.action, _WITHOUT["set"])
    name = type_.names[field.key] if field else type_.names["status"]
    words = draw.pick(reserved(scene.split, forms)).format(it=it, name=name)
    text = voiced(draw, scene.split, words, imperative=True)
    asked = draw.pick(("What should the {what} be?", "Which {what} do you have in mind?",
                       "Please tell me the {what} first."))  # fmt: skip
    prompt = surrounded(draw, scene.split, text, [])
    return Draft(
        prompt, scene.state, [], asked.format(what=what), needs=(op.name,), ending=Ending.ASK
    )


_WITHOUT = {
    "set": ("change the {name} of {it}", "give {it} another {name}", "correct the {name} of {it}",
            "set a new {name} for {it}"),
    "status": ("change the {name} of {it}", "set the {name} of {it}", "update the {name} of {it}",
               "move {it} to another {name}"),
    "tag": ("put a tag on {it}", "tag {it}", "give {it} a tag", "add one more tag to {it}"),
    "note": ("add a note to {it}", "write something on {it}", "leave a note on {it}",
             "put a remark on {it}"),
    "copy": ("make a copy of {it} under another name", "copy {it} and rename the copy",
             "duplicate {it} with a different name", "clone {it} under a fresh name"),
}  # fmt: skip


def _create_without(scene: Scene, op: Op) -> Draft:
    """A new record of which something required is not said."""
    draw, type_ = scene.draw, op.type
    label = new_label(draw, type_, scene.records(type_))
    missing = [p for p in op.params if p.required and p.role.startswith("f:")]
    new = article(f"new {type_.noun}")
    forms: tuple[str, ...]
    if not missing or draw.chance(0.4):
        forms = (f"create {new}", f"set up {new}", f"enter {new} for us", f"prepare {new}")
        name = type_.names["label"]
        asked = draw.pick(
            (
                f"Gladly. What is the {name} of the new {type_.noun}, and what else should I enter?",
                f"Which {name} should the {type_.noun} have?",
                f"What do I enter for it? I need at least the {name}.",
            )
        )
    else:
        head = type_.entity.label.clauses[0].format(v=label)
        forms = tuple(f"{verb} {new} {head}" for verb in ("create", "enter", "add", "set up"))
        names = [type_.field(p.role[2:]).names[0] for p in missing]
        asked = draw.pick(
            (
                f"I still need the following for it: {', '.join(names)}.",
                f"What about the rest: {', '.join(names)}?",
                f"Please tell me as well: {', '.join(names)}.",
            )
        )
    words = draw.pick(reserved(scene.split, forms))
    text = voiced(draw, scene.split, words, imperative=True)
    prompt = surrounded(draw, scene.split, text, [])
    return Draft(prompt, scene.state, [], asked, needs=(op.name,), ending=Ending.ASK)


def which_one(scene: Scene) -> Draft | None:
    """A request that does not say which record is meant, where there are several."""
    op = scene.draw.pick([op for op in scene.plan.ops if op.action in _AIMLESS])
    record = scene.fresh(op.type)
    if record is None:
        return None
    it = scene.draw.pick(("one of the {plural}", "a certain {noun}", "one {noun}",
                          "one of our {plural}"))  # fmt: skip
    it = it.format(noun=op.type.noun, plural=op.type.entity.plural)
    target = by_id(scene, op.type, record)
    made = ask(scene, op, target, it)
    if made is None:
        return None
    text = voiced(scene.draw, scene.split, made.words, imperative=made.imperative)
    asked = scene.draw.pick(("Which {noun} do you mean?", "Which {noun} is it?",
                             "There are several {plural}: which one?"))  # fmt: skip
    answer = asked.format(noun=op.type.noun, plural=op.type.entity.plural)
    prompt = surrounded(scene.draw, scene.split, text, list(made.calls))
    return Draft(prompt, scene.state, [], answer, needs=(op.name,), ending=Ending.ASK)


def tool_missing(scene: Scene) -> Draft | None:
    """A request for which there would be a tool, but it is not offered."""
    draw = scene.draw
    op = draw.pick([op for op in scene.plan.ops if op.action in _REMOVABLE])
    if op.action == "create":
        made = create(scene, op)[0]
    else:
        record = scene.fresh(op.type)
        asked = record and ask(scene, op, by_id(scene, op.type, record))
        if not asked:
            return None
        made = asked
    alike = {o.name for o in scene.plan.ops if o.type is op.type and o.action == op.action}
    alike |= {o.name for o in changes(scene.plan) if o.type is op.type and _can_too(op, o)}
    text = voiced(draw, scene.split, made.words, imperative=made.imperative)
    answers = (
        "I am sorry: none of my tools can do that for {plural}.",
        "I cannot do this: there is no tool for it among mine.",
        "That is not possible with the tools I have for {plural}.",
        "I have no tool for that, so nothing was changed.",
    )
    answer = draw.pick(answers).format(plural=op.type.entity.plural)
    prompt = surrounded(draw, scene.split, text, list(made.calls))
    without = tuple(sorted(alike))
    return Draft(sentence(prompt), scene.state, [], answer, without=without, ending=Ending.ADMIT)


def _can_too(op: Op, other: Op) -> bool:
    """Whether another tool can do the same by one of its options, or by copying."""
    by_option = {"tag": "x:tag", "note": "x:note"}.get(op.action)
    return bool(by_option and other.has(by_option)) or (
        {op.action, other.action} <= {"create", "copy"}
    )
