"""Prompts of the `library` world that take several calls, later ones fed by what was read."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.convert.tasks import unspoiled
from tooldrill.data.worlds.corpus import shelf as shelves
from tooldrill.data.worlds.corpus.facts import fact
from tooldrill.data.worlds.corpus.session import LibrarySession
from tooldrill.data.worlds.corpus.shelf import say_place
from tooldrill.data.worlds.trail import Trail

BOOK = Book()


@BOOK.act(
    "In '{title}' it says {question}. Well?",
    "Find '{title}' and check {question}; the sentence names {place}.",
    "I only remember the title, '{title}'. Tell me {question}, please ({place} is in the text).",
    "{question}? must be in '{title}', look for {place}",
)
@unspoiled
def titled_fact(draw: Draw) -> Draft:
    documents, known = shelves.shelf(draw, 5), fact(draw)
    row = draw.pick(documents)
    for sentence in draw.sample((known.sentence, known.decoy), 2):
        shelves.plant(draw, row, sentence)
    state = shelves.holding(documents)
    trail = Trail(LibrarySession, state)
    trail.do("search_documents", words=row["title"])
    trail.do("find_passage", document_id=row["id"], words=known.place)
    prompt = draw.say(title=row["title"], question=known.question, place=known.place)
    return Draft(prompt, state, trail.calls, f"It says: {known.sentence}", (known.value,))


@BOOK.act(
    "Go to '{title}', find the sentence that says {question} ({place}) and quote it.",
    "My quotations lack the sentence in '{title}' about {question}. Search for {place} there.",
    "Quote from '{title}': the one sentence telling {question}. Not the estimate or the plan! "
    "{place} is the word to look for.",
    "{title} -> the sentence saying {question} ({place}) -> my quotations",
)
def quote_the_fact(draw: Draw) -> Draft:
    documents, known = shelves.shelf(draw, 5), fact(draw)
    row = draw.pick(documents)
    shelves.plant(draw, row, known.decoy)
    section, sentence = shelves.plant(draw, row, known.sentence)
    state = shelves.holding(documents)
    trail = Trail(LibrarySession, state)
    trail.do("search_documents", words=row["title"])
    trail.do("find_passage", document_id=row["id"], words=known.place)
    trail.do("quote_passage", document_id=row["id"], section=section, sentence=sentence)
    prompt = draw.say(title=row["title"], question=known.question, place=known.place)
    answer = f"Done: quoted '{known.sentence}'"
    return Draft(prompt, state, trail.calls, answer, (), ("open_section",))


@BOOK.act(
    "{code} has a {which} reference. In the document it leads to, bookmark the section called "
    "'{heading}'.",
    "Follow the {which} reference of {code} and mark the part '{heading}' over there.",
    "Bookmark please: '{heading}' in whatever {code} cites as its {which} reference.",
    "I want to come back to '{heading}', not in {code} itself but in its {which} "
    "reference. Leave a bookmark there.",
)
def mark_in_cited(draw: Draw) -> Draft:
    documents = shelves.shelf(draw, 5)
    row = documents[-1]
    row["references"] = draw.sample([d["id"] for d in documents[:-1]], 3)
    which, number = draw.pick((("first", 1), ("second", 2), ("third", 3)))
    cited = next(d for d in documents if d["id"] == row["references"][number - 1])
    section = draw.number(2, len(cited["sections"]))
    heading = cited["sections"][section - 1]["heading"]
    state = shelves.holding(documents)
    trail = Trail(LibrarySession, state)
    trail.do("follow_reference", document_id=row["id"], reference=number)
    trail.do("document_record", document_id=cited["id"])
    trail.do("add_bookmark", document_id=cited["id"], section=section)
    prompt = draw.say(code=row["id"], which=which, heading=heading)
    answer = f"Done: {heading} in {cited['id']} is bookmarked."
    return Draft(prompt, state, trail.calls, answer, (), ("list_citing",))


@BOOK.act(
    "{author} wrote several things about {words}. Put the newest of them on '{where}'.",
    "The latest text by {author} on {words} belongs on the list '{where}'.",
    "Which of {author}'s documents on {words} is the most recent? That one goes to the end of "
    "'{where}'.",
    "'{where}' needs the newest thing by {author} on {words}. Never mind other people's.",
)
def newest_of_author(draw: Draw) -> Draft:
    documents, words = shelves.shelf(draw, 7), f"{draw.brand()} {draw.topic()}"
    mine, author = draw.sample(documents, 3), draw.person()
    for row, year in zip(mine, draw.numbers(1970, 2024, 3), strict=True):
        row.update(author=author, date=f"{year}{row['date'][4:]}")
        shelves.plant(draw, row, f"The {words} deserves a closer look.")
    newest, name = max(mine, key=lambda d: str(d["date"])), shelves.list_name(draw)
    # Somebody else's is newer still.
    other = next(d for d in documents if d not in mine)
    other["date"] = "2025-01-02"
    shelves.plant(draw, other, f"A rival view of the {words} is given.")
    state = shelves.holding(documents, lists={name: [other["id"]]})
    trail = Trail(LibrarySession, state)
    trail.do("search_documents", words=words, author=author)
    trail.do("put_on_list", list_name=name, document_id=newest["id"])
    prompt = draw.say(author=author, words=words, where=name)
    return Draft(prompt, state, trail.calls, f"Done: {newest['id']} is on {name}.")


@BOOK.act(
    "Search for '{words}'. The very last result, on the last page, goes on the list '{where}'.",
    "There is more than one page of results for '{words}'. I want the final entry of all put on "
    "'{where}'.",
    "Whatever comes last among the hits for '{words}' goes on '{where}', mind the pages.",
    "{words}: search, go to the end of the results, last one -> list {where}",
)
def last_hit(draw: Draw) -> Draft:
    documents, words = shelves.shelf(draw, 9), f"{draw.brand()} {draw.topic()}"
    hits = sorted(draw.sample(documents, draw.number(5, 8)), key=lambda d: str(d["id"]))
    for row in hits:
        shelves.plant(draw, row, f"{draw.person()} disputes the {words}.")
    name = shelves.list_name(draw)
    state = shelves.holding(documents)
    trail = Trail(LibrarySession, state)
    trail.do("search_documents", words=words)
    trail.do("search_documents", words=words, page=2)
    trail.do("put_on_list", list_name=name, document_id=hits[-1]["id"])
    prompt = draw.say(words=words, where=name)
    answer = f"Done: {hits[-1]['id']} is on {name}."
    return Draft(prompt, state, trail.calls, answer)


@BOOK.act(
    "'{title}' is on '{old}' but should head '{new}' instead. Then write '{new}' out in BibTeX.",
    "Move '{title}' from the list {old} to the top of {new}, and give me {new} as BibTeX after "
    "that.",
    "Take '{title}' off {old}, make it number one on {new}, export {new} (BibTeX).",
    "{old} loses '{title}', {new} gets it as first entry. I then need {new} as BibTeX.",
)
def move_and_export(draw: Draw) -> Draft:
    documents, (old, new) = shelves.shelf(draw, 5), draw.several(lambda: shelves.list_name(draw), 2)
    row, *others = draw.sample(documents, 4)
    lists = {old: [row["id"], others[0]["id"]], new: [d["id"] for d in others[1:]]}
    state = shelves.holding(documents, lists=lists)
    trail = Trail(LibrarySession, state)
    trail.do("search_documents", words=row["title"])
    trail.do("take_off_list", list_name=old, document_id=row["id"])
    trail.do("put_on_list", list_name=new, document_id=row["id"], position="start")
    trail.do("export_list", list_name=new, style="bibtex")
    prompt = draw.say(title=row["title"], old=old, new=new)
    answer = f"Done: {row['id']} heads {new}, which is written as BibTeX."
    return Draft(prompt, state, trail.calls, answer)


@BOOK.act(
    "Start at {code}. Go to its {first} reference and from there to the {second} reference of "
    "that one. In the document you reach, quote the sentence about {question} ({place}), and put "
    "the document on '{where}'.",
    "{code} cites a document (reference: {first}) which cites another (reference: {second}). The "
    "latter says {question}; look for {place}, quote that sentence, then add it to the list "
    "'{where}'.",
    "Trace this for me: {code}, {first} reference, {second} reference of that. Over there, find "
    "{place}, quote {question}. The document itself goes on '{where}'.",
    "Citations of citations: from {code} take the {first} reference, from that one the "
    "{second}. I want the sentence with {question} quoted from there (it names {place}) "
    "and that document listed under '{where}'.",
)
def citation_trail(draw: Draw) -> Draft:
    documents, known, name = shelves.shelf(draw, 6), fact(draw), shelves.list_name(draw)
    top, middle, bottom, *others = draw.sample(documents, 5)
    spare = [d["id"] for d in others]
    spoken = ("first", "second", "third")
    first, second = draw.number(1, 3), draw.number(1, 3)
    top["references"] = [*spare[: first - 1], middle["id"], *spare[first - 1 :]]
    middle["references"] = [*spare[: second - 1], bottom["id"], *spare[second - 1 :]]
    shelves.plant(draw, bottom, known.decoy)
    section, sentence = shelves.plant(draw, bottom, known.sentence)
    state = shelves.holding(documents)
    trail = Trail(LibrarySession, state)
    trail.do("follow_reference", document_id=top["id"], reference=first)
    trail.do("follow_reference", document_id=middle["id"], reference=second)
    trail.do("find_passage", document_id=bottom["id"], words=known.place)
    trail.do("quote_passage", document_id=bottom["id"], section=section, sentence=sentence)
    trail.do("put_on_list", list_name=name, document_id=bottom["id"])
    prompt = draw.say(
        code=top["id"],
        first=spoken[first - 1],
        second=spoken[second - 1],
        question=known.question,
        place=known.place,
        where=name,
    )
    answer = f"Done: quoted from {bottom['id']}, which is on {name}."
    return Draft(prompt, state, trail.calls, answer, (), ("list_citing",))


@BOOK.act(
    "Everything that cites {code} goes on '{where}', in the order in which you find it. Then "
    "write the list out as {style}.",
    "Collect whatever refers to {code} on the list '{where}' as it comes and give me that list in "
    "{style}.",
    "Who cites {code}? Put them all on '{where}', one after the other, and export it ({style}).",
    "list {where}: add all documents citing {code}, as they are listed, then export as {style}",
)
def collect_citing(draw: Draw) -> Draft:
    documents, name = shelves.shelf(draw, 6), shelves.list_name(draw)
    row = documents[0]
    for d in documents:
        d["references"] = [ref for ref in d["references"] if ref != row["id"]]
    found = sorted(draw.sample(documents[1:], draw.number(2, 4)), key=lambda d: str(d["id"]))
    for d in found:
        d["references"].append(row["id"])
    style, said = draw.pick((("bibtex", "BibTeX"), ("markdown", "Markdown")))
    state = shelves.holding(documents)
    trail = Trail(LibrarySession, state)
    trail.do("list_citing", document_id=row["id"])
    for d in found:
        trail.do("put_on_list", list_name=name, document_id=d["id"])
    trail.do("export_list", list_name=name, style=style)
    prompt = draw.say(code=row["id"], where=name, style=said)
    answer = f"Done: {len(found)} documents are on {name}, written as {said}."
    return Draft(prompt, state, trail.calls, answer, (), ("follow_reference",))


@BOOK.act(
    "What stands first on '{where}'? Read {place} of it and tell me {question}.",
    "Take the top entry of the list '{where}', open {place} there: {question}?",
    "The document that heads '{where}' says in {place} {question}. I need the answer.",
    "{question}? It should be in {place} of the first document on '{where}'.",
)
@unspoiled
def top_of_list(draw: Draw) -> Draft:
    documents, known, name = shelves.shelf(draw, 5), fact(draw), shelves.list_name(draw)
    row, *others = draw.sample(documents, 3)
    section, _ = shelves.plant(draw, row, known.sentence)
    row["sections"][section - 1]["sentences"].insert(0, known.decoy)
    shelves.lengthen(draw, row, section, draw.number(7, 16))
    state = shelves.holding(documents, lists={name: [d["id"] for d in (row, *others)]})
    trail = Trail(LibrarySession, state)
    trail.do("show_reading_list", list_name=name)
    trail.do("open_section", document_id=row["id"], section=section)
    place = say_place(draw, section, "section")
    prompt = draw.say(where=name, place=place, question=known.question)
    answer = f"It says: {known.sentence}"
    return Draft(prompt, state, trail.calls, answer, (known.value,), ("export_list",))
