"""Prompts of the `library` world that one call answers."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.convert.tasks import unspoiled
from tooldrill.data.worlds.corpus import shelf as shelves
from tooldrill.data.worlds.corpus.facts import fact
from tooldrill.data.worlds.corpus.shelf import say_place

BOOK = Book(
    asides=(
        "My thesis is due in three weeks, so forgive the tone.",
        "The reading room closes early today.",
        "I keep mixing these codes up.",
        "Our seminar grew to forty people, who would have thought.",
        "The scan is terrible, my eyes hurt.",
        "A reviewer asked for this, of course.",
        "I had this on a sticky note and lost it.",
    )
)


@BOOK.act(
    "What did {author} write about {words}? Give me the code.",
    "Is there anything on {words} by {author}? I need the code of it.",
    "{author}, {words} - document code?",
    "{name} recommended a text by {author}; {words} is the subject. Which document is that?",
)
@unspoiled
def by_author(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 6)
    wanted = draw.pick(documents)
    words = f"{draw.brand()} {draw.topic()}"
    shelves.plant(draw, wanted, f"The {words} is described here at length.")
    others = [d for d in documents if d["author"] != wanted["author"]]
    if others:
        shelves.plant(draw, draw.pick(others), f"Compare the {words} of the appendix.")
    prompt = draw.say(author=wanted["author"], words=words, name=draw.first_name())
    arguments = {"words": words, "author": wanted["author"]}
    calls: list[OracleCall] = [("search_documents", arguments)]
    answer = f"It is {wanted['id']}, {wanted['title']}."
    return Draft(prompt, shelves.holding(documents), calls, answer, (wanted["id"],))


@BOOK.act(
    "Search for '{words}' among what is tagged {tag} and not older than {year}.",
    "From {year} on, did anybody mention '{words}' under the tag {tag}? The code will do.",
    "tag {tag}, {year} or newer, containing {words}: which document?",
    "I want something recent, {year} at the earliest, tagged {tag}, in which {words} comes up.",
)
@unspoiled
def by_tag_and_year(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 6)
    old, wanted = draw.sample(documents, 2)
    year, tag = draw.number(1990, 2015), draw.pick(wanted["tags"])
    wanted["date"] = f"{year + draw.number(0, 8)}-05-{draw.number(1, 28):02}"
    old.update(date=f"{year - draw.number(1, 20)}-11-09", tags=wanted["tags"])
    words = f"{draw.city()} {draw.topic()}"
    for row in (old, wanted):
        shelves.plant(draw, row, f"The {words} was consulted twice.")
    prompt = draw.say(words=words, tag=tag, year=year)
    arguments = {"words": words, "tag": tag, "since_year": year}
    calls: list[OracleCall] = [("search_documents", arguments)]
    answer = f"It is {wanted['id']}, {wanted['title']}."
    return Draft(prompt, shelves.holding(documents), calls, answer, (wanted["id"],))


@BOOK.act(
    "When did {code} come out?",
    "Date of {code}, please.",
    "For my footnote I need to know when {code} was published.",
    "{code} is from when exactly?",
)
@unspoiled
def published_when(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 4)
    row = draw.pick(documents)
    calls: list[OracleCall] = [("document_record", {"document_id": row["id"]})]
    answer = f"{row['id']} is dated {row['date']}."
    prompt, needs = draw.say(code=row["id"]), ("open_section", "search_documents")
    return Draft(prompt, shelves.holding(documents), calls, answer, (row["date"],), needs)


@BOOK.act(
    "Read {place} of {code} and tell me {question}.",
    "{code}, {place}: {question}? It is a long page, only the answer please.",
    "I know it stands in {place} of {code} but I cannot find it: {question}?",
    "In {code} there is {place}. What does it say about this: {question}?",
)
@unspoiled
def section_fact(draw: Draw) -> Draft:
    documents, known = shelves.shelf(draw, 3), fact(draw)
    row = documents[0]
    section, _ = shelves.plant(draw, row, known.sentence)
    row["sections"][section - 1]["sentences"].append(known.decoy)
    shelves.lengthen(draw, row, section, draw.number(8, 22))
    place = say_place(draw, section, "section")
    prompt = draw.say(place=place, code=row["id"], question=known.question)
    calls: list[OracleCall] = [("open_section", {"document_id": row["id"], "section": section})]
    answer = f"The answer is {known.value}: {known.sentence}"
    return Draft(prompt, shelves.holding(documents), calls, answer, (known.value,))


@BOOK.act(
    "Look for '{place}' in {code}: {question}?",
    "{code} mentions {place} somewhere. I would like to know {question}.",
    "Find the sentence on {place} in {code} and tell me {question}.",
    "{question}? According to {code}, where {place} comes up.",
)
@unspoiled
def passage_fact(draw: Draw) -> Draft:
    documents, known = shelves.shelf(draw, 4), fact(draw)
    row = draw.pick(documents)
    for sentence in draw.sample((known.sentence, known.decoy), 2):
        shelves.plant(draw, row, sentence)
    prompt = draw.say(place=known.place, code=row["id"], question=known.question)
    arguments = {"document_id": row["id"], "words": known.place}
    calls: list[OracleCall] = [("find_passage", arguments)]
    answer = f"It says: {known.sentence}"
    contains, needs = (known.value,), ("search_documents",)
    return Draft(prompt, shelves.holding(documents), calls, answer, contains, needs)


@BOOK.act(
    "Which document is {place} of {code}?",
    "{code} cites something as {place}. What is it called?",
    "Follow {place} in {code} and tell me the title.",
    "title behind {place}, {code}?",
)
@unspoiled
def cited_title(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 5)
    row = documents[-1]
    row["references"] = draw.sample([d["id"] for d in documents[:-1]], 3)
    number = draw.number(1, 3)
    cited = next(d for d in documents if d["id"] == row["references"][number - 1])
    prompt = draw.say(code=row["id"], place=say_place(draw, number, "reference"))
    arguments = {"document_id": row["id"], "reference": number}
    calls: list[OracleCall] = [("follow_reference", arguments)]
    answer = f"It is {cited['title']}."
    contains, needs = (cited["title"],), ("list_citing",)
    return Draft(prompt, shelves.holding(documents), calls, answer, contains, needs)


@BOOK.act(
    "Who cites {code}?",
    "Has anybody referred to {code}? I need the document that does.",
    "What builds on {code}, going by its citations?",
    "{name} claims that nobody ever cited {code}. One did. Which?",
)
@unspoiled
def citing(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 5)
    row, other = documents[0], documents[-1]
    for d in documents:
        d["references"] = [ref for ref in d["references"] if ref != row["id"]]
    other["references"].append(row["id"])
    prompt = draw.say(code=row["id"], name=draw.first_name())
    calls: list[OracleCall] = [("list_citing", {"document_id": row["id"]})]
    answer = f"It is cited by {other['id']}, {other['title']}."
    contains, needs = (other["id"],), ("follow_reference",)
    return Draft(prompt, shelves.holding(documents), calls, answer, contains, needs)


@BOOK.act(
    "Copy {sentence} of {place} of {code} into my quotations.",
    "I want to quote {code}: {place}, {sentence}.",
    "quote {code} / {place} / {sentence}",
    "Please take {sentence} in {place} of {code} down as a quotation.",
)
def quote_by_place(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 3)
    row = draw.pick(documents)
    section = draw.number(1, len(row["sections"]))
    sentence = draw.number(1, len(row["sections"][section - 1]["sentences"]))
    prompt = draw.say(
        code=row["id"],
        place=say_place(draw, section, "section"),
        sentence=say_place(draw, sentence, "sentence"),
    )
    arguments = {"document_id": row["id"], "section": section, "sentence": sentence}
    calls: list[OracleCall] = [("quote_passage", arguments)]
    state = shelves.holding(documents)
    return Draft(prompt, state, calls, "Done: the sentence is quoted.", (), ("open_section",))


@BOOK.act(
    "Mark {place} of {code} so that I find it again; call it '{label}'.",
    "Bookmark '{label}' goes into {code}, {place}.",
    "{code}, {place}: leave a bookmark there that says '{label}'.",
    "I stopped reading at {place} of {code}. Keep the spot under the label '{label}'.",
)
def mark_spot(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 3)
    row, label = draw.pick(documents), draw.pick((draw.phrase(), draw.first_name(), draw.topic()))
    row["sections"] += draw.pick(documents)["sections"]
    section = draw.number(2, len(row["sections"]))
    place = say_place(draw, section, "section")
    prompt = draw.say(code=row["id"], place=place, label=label)
    arguments = {"document_id": row["id"], "section": section, "label": label}
    calls: list[OracleCall] = [("add_bookmark", arguments)]
    answer = f"Done: section {section} is bookmarked."
    return Draft(prompt, shelves.holding(documents), calls, answer, (), ("write_note",))


@BOOK.act(
    "Attach this to {code}, just for myself: {text}",
    "Private remark on {code}: {text}",
    "On {code} I want to remember '{text}'; nobody else needs to see it.",
    "memo to self @ {code}: {text}",
)
def private_remark(draw: Draw) -> Draft:
    return _remark(draw, {}, "")


@BOOK.act(
    "Leave '{text}' on {code} so that {audience} can read it.",
    "{audience} should see this on {code}: {text}",
    "Write on {code}, visible to {audience}: {text}",
    "{code} deserves a warning for {audience}: {text}",
)
def shared_remark(draw: Draw) -> Draft:
    value, audience = draw.pick(
        (
            ("group", "our group"),
            ("group", "the working group"),
            ("everyone", "everyone"),
            ("everyone", "the whole world"),
        )
    )
    return _remark(draw, {"visible_to": value}, audience)


def _remark(draw: Draw, extra: dict[str, Any], audience: str) -> Draft:
    documents, text = shelves.shelf(draw, 3), draw.line()
    row = draw.pick(documents)
    prompt = draw.say(code=row["id"], text=text, audience=audience)
    arguments = {"document_id": row["id"], "text": text, **extra}
    calls: list[OracleCall] = [("write_note", arguments)]
    answer = f"Done: the remark is on {row['id']}."
    return Draft(prompt, shelves.holding(documents), calls, answer, (), ("add_bookmark",))


@BOOK.act(
    "Add {code} to the list '{where}'.",
    "{code} belongs on '{where}', at the bottom.",
    "Please queue {code} in {where}.",
    "'{where}' lacks {code}. Append it.",
    "reading list {where} + {code}",
)
def queue_up(draw: Draw) -> Draft:
    return _queue(draw, {})


@BOOK.act(
    "Put {code} at the very top of '{where}'.",
    "{code} is what we read next, so it has to head the list {where}.",
    "'{where}' should begin with {code}.",
    "Whoever opens '{where}' must see {code} before everything else on it.",
)
def queue_first(draw: Draw) -> Draft:
    return _queue(draw, {"position": "start"})


def _queue(draw: Draw, extra: dict[str, Any]) -> Draft:
    documents, name = shelves.shelf(draw, 4), shelves.list_name(draw)
    row, *others = draw.sample(documents, 3)
    lists = {name: [d["id"] for d in others]}
    arguments = {"list_name": name, "document_id": row["id"], **extra}
    calls: list[OracleCall] = [("put_on_list", arguments)]
    prompt = draw.say(code=row["id"], where=name)
    answer = f"Done: {row['id']} is on {name}."
    return Draft(prompt, shelves.holding(documents, lists=lists), calls, answer)


@BOOK.act(
    "Write '{where}' out as {style}.",
    "I need the bibliography of the list {where} in {style} form.",
    "{name} wants our list '{where}', {style} please.",
    "{where} -> {style}",
)
def bibliography(draw: Draw) -> Draft:
    documents, name = shelves.shelf(draw, 4), shelves.list_name(draw)
    lists = {name: [d["id"] for d in draw.sample(documents, draw.number(1, 3))]}
    style, said = draw.pick(
        (("bibtex", "BibTeX"), ("markdown", "Markdown"), ("plain", "plain text"))
    )
    extra = {} if style == "plain" else {"style": style}
    calls: list[OracleCall] = [("export_list", {"list_name": name, **extra})]
    prompt = draw.say(where=name, style=said, name=draw.first_name())
    state = shelves.holding(documents, lists=lists)
    answer = f"Done: {name} is written out."
    return Draft(prompt, state, calls, answer, (), ("show_reading_list",))
