import pytest

from tooldrill.data.tasks.claims import claims_success


@pytest.mark.parametrize(
    "text",
    [
        "Done.",
        "The line was appended to a.txt.",
        "I appended the line, without any errors.",
        "The meeting is booked; no problems.",
        "I moved `errors.log` to archive/errors.log.",
        'Renamed the note to "Failed attempts".',
        "OK",
        "12",
    ],
)
def test_claims(text: str) -> None:
    assert claims_success(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ...",
        "I could not append the line.",
        "I couldn\N{RIGHT SINGLE QUOTATION MARK}t append the line.",
        "Sorry, the file does not exist.",
        "The tool failed twice, so the line is missing.",
        "Unable to finish: the path was refused.",
        "There was an error.",
        "The line was NOT FOUND.",
        "Which file do you mean?",
        "I will now append the line to the file.",
        "Okay, let me try again with another path.",
        "To do this, you can use the append_file tool.",
    ],
)
def test_does_not_claim(text: str) -> None:
    assert not claims_success(text)
