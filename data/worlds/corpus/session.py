"""The tools of the `library` world: documents to search, read and quote, and what a reader keeps.

State: `documents` (rows with id, title, author, date, tags, sections [{heading, sentences}] and
references [ids]), which no tool changes, and `lists`, `bookmarks`, `notes`, `quotes`, `exports`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tooldrill.agent.environment import ToolError
from tooldrill.data.worlds.base import Session

_PAGE = 4
Document = dict[str, Any]
Number = Annotated[int, Field(ge=1)]


class LibrarySession(Session):
    """One reader at the catalogue."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "search_documents",
        "document_record",
        "open_section",
        "find_passage",
        "follow_reference",
        "list_citing",
        "quote_passage",
        "add_bookmark",
        "write_note",
        "put_on_list",
        "take_off_list",
        "show_reading_list",
        "export_list",
    )

    def __init__(self, state: dict[str, Any]) -> None:
        self._documents: dict[str, Document] = {d["id"]: d for d in state.get("documents", ())}
        self._lists = {name: list(ids) for name, ids in state.get("lists", {}).items()}
        self._bookmarks = {(b["id"], b["section"]): b["label"] for b in state.get("bookmarks", ())}
        self._notes = [tuple(note) for note in state.get("notes", ())]
        self._quotes = {tuple(quote) for quote in state.get("quotes", ())}
        self._exports = dict(state.get("exports", {}))

    def snapshot(self) -> dict[str, Any]:
        return {
            "lists": {name: list(ids) for name, ids in sorted(self._lists.items())},
            "bookmarks": [[*place, label] for place, label in sorted(self._bookmarks.items())],
            "notes": [list(note) for note in sorted(self._notes)],
            "quotes": [list(quote) for quote in sorted(self._quotes)],
            "exports": {name: list(made) for name, made in sorted(self._exports.items())},
        }

    def search_documents(
        self,
        words: str,
        author: str = "",
        tag: str = "",
        since_year: int = 0,
        page: Number = 1,
    ) -> str:
        """Find documents that contain the words, in this order, in title or text.

        Fails for a page beyond the last.

        Args:
            words: What to look for: a title, a name, a few words of a sentence.
            author: Only documents by this person; the last name will do.
            tag: Only documents with this tag.
            since_year: Only documents of this year or newer.
            page: Which page of the results.
        """
        wanted = " ".join(words.lower().split())
        found = [
            d
            for d in sorted(self._documents.values(), key=lambda d: str(d["id"]))
            if wanted in _everything(d)
            and author.lower() in d["author"].lower()
            and (not tag or tag.lower() in d["tags"])
            and int(d["date"][:4]) >= since_year
        ]
        if not found:
            return "nothing found"
        pages = -(-len(found) // _PAGE)
        if page > pages:
            raise ToolError(f"`page` {page} is beyond the last ({pages})")
        shown = [_line(d) for d in found[(page - 1) * _PAGE : page * _PAGE]]
        return "\n".join([*shown, f"page {page} of {pages}, {len(found)} found"])

    def document_record(self, document_id: str) -> str:
        """Show a document's author, date, tags, section headings and references.

        Args:
            document_id: Code of the document.
        """
        d = self._document(document_id)
        headings = "; ".join(f"{n} {s['heading']}" for n, s in enumerate(d["sections"], 1))
        cited = "; ".join(f"[{n}] {ref}" for n, ref in enumerate(d["references"], 1)) or "none"
        return (
            f"{d['title']}, by {d['author']}, {d['date']}; tags: {', '.join(d['tags'])}\n"
            f"sections: {headings}\nreferences: {cited}"
        )

    def open_section(self, document_id: str, section: Number) -> str:
        """Read one section in full.

        Fails when the document has no such section.

        Args:
            document_id: Code of the document.
            section: Number of the section.
        """
        found = self._section(document_id, section)
        return f"{section} {found['heading']}\n" + " ".join(found["sentences"])

    def find_passage(self, document_id: str, words: str, whole_section: bool = False) -> str:
        """Find the sentences of a document in which all the words occur.

        Args:
            document_id: Code of the document.
            words: What to look for, separated by spaces.
            whole_section: Show all of the section around each hit.
        """
        wanted = words.lower().split()
        hits = []
        for number, section in enumerate(self._document(document_id)["sections"], 1):
            for place, sentence in enumerate(section["sentences"], 1):
                if all(word in sentence.lower() for word in wanted):
                    text = " ".join(section["sentences"]) if whole_section else sentence
                    hits.append(f"section {number}, sentence {place}: {text}")
        return "\n".join(hits) or "no such passage"

    def follow_reference(self, document_id: str, reference: Number) -> str:
        """Show which document a reference leads to.

        Fails when there is no reference of that number.

        Args:
            document_id: Code of the document that cites.
            reference: Number in its list of references.
        """
        cited = self._document(document_id)["references"]
        if reference > len(cited):
            raise ToolError(f"{document_id} has {len(cited)} references, no number {reference}")
        return _line(self._document(cited[reference - 1]))

    def list_citing(self, document_id: str) -> str:
        """List the documents that cite a document.

        Args:
            document_id: Code of the document that is cited.
        """
        self._document(document_id)
        citing = [d for d in self._documents.values() if document_id in d["references"]]
        shown = (_line(d) for d in sorted(citing, key=lambda d: str(d["id"])))
        return "\n".join(shown) or "nobody cites it"

    def quote_passage(self, document_id: str, section: Number, sentence: Number) -> str:
        """Copy one sentence, with its source, into the collection of quotations.

        Fails when there is no such section or sentence.

        Args:
            document_id: Code of the document.
            section: Number of the section.
            sentence: Number of the sentence within the section.
        """
        sentences = self._section(document_id, section)["sentences"]
        if sentence > len(sentences):
            raise ToolError(f"section {section} has {len(sentences)} sentences, not {sentence}")
        self._quotes.add((document_id, section, sentence))
        d = self._documents[document_id]
        return f'"{sentences[sentence - 1]}" ({d["author"]}, {d["date"][:4]})'

    def add_bookmark(self, document_id: str, section: Number = 1, label: str = "") -> str:
        """Mark a section to come back to. Fails when it is marked already.

        Args:
            document_id: Code of the document.
            section: Number of the section.
            label: What to call the mark.
        """
        self._section(document_id, section)
        if (document_id, section) in self._bookmarks:
            raise ToolError(f"section {section} of {document_id} has a bookmark already")
        self._bookmarks[document_id, section] = label
        return f"bookmark in section {section} of {document_id}"

    def write_note(
        self, document_id: str, text: str, visible_to: Literal["me", "group", "everyone"] = "me"
    ) -> str:
        """Attach a remark to a document.

        Args:
            document_id: Code of the document.
            text: The remark.
            visible_to: Who may read it.
        """
        self._document(document_id)
        if not text.strip():
            raise ToolError("`text` must not be empty")
        self._notes.append((document_id, text, visible_to))
        return f"noted on {document_id}, for {visible_to}"

    def put_on_list(
        self, list_name: str, document_id: str, position: Literal["end", "start"] = "end"
    ) -> str:
        """Put a document on a reading list; a list that is not there yet is begun.

        Fails when the document stands on it already.

        Args:
            list_name: Name of the list.
            document_id: Code of the document.
            position: Where on the list.
        """
        self._document(document_id)
        if not list_name.strip():
            raise ToolError("`list_name` must not be empty")
        entries = self._lists.get(list_name, [])
        if document_id in entries:
            raise ToolError(f"{document_id} is on {list_name} already")
        self._lists[list_name] = (
            [*entries, document_id] if position == "end" else [document_id, *entries]
        )
        return f"{list_name}: {len(entries) + 1} documents"

    def take_off_list(self, list_name: str, document_id: str) -> str:
        """Remove a document from a reading list. Fails when it is not on it.

        Args:
            list_name: Name of the list.
            document_id: Code of the document.
        """
        entries = self._entries(list_name)
        if document_id not in entries:
            raise ToolError(f"{document_id} is not on {list_name}")
        entries.remove(document_id)
        return f"{list_name}: {len(entries)} documents"

    def show_reading_list(self, list_name: str) -> str:
        """Show a reading list in order.

        Args:
            list_name: Name of the list.
        """
        shown = [_line(self._document(entry)) for entry in self._entries(list_name)]
        return "\n".join(shown) or "empty"

    def export_list(
        self, list_name: str, style: Literal["plain", "bibtex", "markdown"] = "plain"
    ) -> str:
        """Write a reading list out as a bibliography. Fails when the list is empty.

        Args:
            list_name: Name of the list.
            style: How entries are written.
        """
        entries = self._entries(list_name)
        if not entries:
            raise ToolError(f"{list_name} is empty")
        self._exports[list_name] = [style, *entries]
        return f"{len(entries)} entries of {list_name} written as {style}"

    def _document(self, document_id: str) -> Document:
        if document_id not in self._documents:
            raise ToolError(f"no document {document_id}")
        return self._documents[document_id]

    def _section(self, document_id: str, number: int) -> dict[str, Any]:
        sections: list[dict[str, Any]] = self._document(document_id)["sections"]
        if number > len(sections):
            raise ToolError(f"{document_id} has {len(sections)} sections, no number {number}")
        return sections[number - 1]

    def _entries(self, list_name: str) -> list[str]:
        if list_name not in self._lists:
            listed = ", ".join(sorted(self._lists)) or "none"
            raise ToolError(f"no list {list_name}; there is {listed}")
        return self._lists[list_name]


def _line(d: Document) -> str:
    return f"{d['id']} | {d['title']} | {d['author']} | {d['date']}"


def _everything(d: Document) -> str:
    texts = [d["title"], *(s for part in d["sections"] for s in part["sentences"])]
    return "\n".join(texts).lower()
