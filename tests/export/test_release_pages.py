"""What the pages say: the Modelfile by Ollama's rules, the licence, the lines to serve with."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from tiny_releases import FILES

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.export.release.base_facts import BaseFacts, Licence, base_facts
from tooldrill.export.release.build import build_release
from tooldrill.export.release.facts import Measured, Provenance, Release
from tooldrill.export.release.modelfile import modelfile
from tooldrill.export.release.served import ServedModel, served_model
from tooldrill.training.settings import ModelSettings

APACHE = BaseFacts("tiny", "org/tiny", Licence("apache-2.0", "its model card"))
SERVED = ServedModel("llama", 4096, 4096, ("<|im_end|>", 'a "b" c'), "{{ messages }}", 1000)


@dataclass(frozen=True)
class Command:
    """An instruction as Ollama reads it: a parameter goes by its own name."""

    name: str
    value: str


def commands(text: str) -> list[Command]:
    """Reads a Modelfile: a value is the rest of the line, or stands between quotation marks, which
    may hold line breaks when there are three; nothing is escaped."""
    found = []
    while text := text.lstrip():
        if text.startswith("#"):
            text = text.partition("\n")[2]
            continue
        name, _, text = text.partition(" ")
        assert name in {"FROM", "PARAMETER", "LICENSE", "REQUIRES", "TEMPLATE", "SYSTEM", "ADAPTER"}
        if name == "PARAMETER":
            name, _, text = text.partition(" ")
        value, text = _value(text)
        found.append(Command(name, value))
    return found


def _value(text: str) -> tuple[str, str]:
    if text.startswith('"""'):
        value, end, rest = text[3:].partition('"""')
        assert end
        return value, rest
    line, _, rest = text.partition("\n")
    if line.startswith('"'):
        assert len(line) >= 2 and line.endswith('"')
        return line[1:-1], rest
    return line.strip(), rest


def test_the_modelfile_names_its_file_its_stops_and_nothing_else(
    exported: Release, tmp_path: Path
) -> None:
    build_release(exported, tmp_path / "r")
    found = commands((tmp_path / "r/Modelfile").read_text())
    file = tmp_path / "r" / found[0].value
    assert found[0].name == "FROM"
    assert file.name == "tiny-tooldrill-Q8_0.gguf" and file.is_file()
    model = GgufModel(file, vocabulary_only=True)
    ending = {model.text(t) for t in range(model.vocabulary_size) if model.ends_reply(t)}
    model.close()
    assert {c.value for c in found if c.name == "stop"} == ending
    assert "<|im_end|>" in ending
    values = {c.name: c.value for c in found}
    assert (values["num_ctx"], values["temperature"], values["REQUIRES"]) == ("512", "0", "0.30.0")
    # The template of the training stands in the file: Ollama runs it where none is given.
    assert "TEMPLATE" not in values
    assert "LICENSE" not in values


def test_values_end_where_they_should() -> None:
    evil = Licence("other", "its card", 'a """ b\nPARAMETER num_ctx 1', "http://x")
    found = commands(modelfile("a.gguf", SERVED, BaseFacts("tiny", None, evil)))
    assert [c.value for c in found if c.name == "stop"] == ["<|im_end|>", 'a "b" c']
    assert [c.value for c in found if c.name == "num_ctx"] == ["4096"]
    assert [c.name for c in found][-1] == "LICENSE"
    assert found[-1].value.startswith("a ''' b\nPARAMETER")
    plain = commands(modelfile("a.gguf", SERVED, APACHE))
    assert plain[-1] == Command("LICENSE", "apache-2.0 (of the base model org/tiny)")


def test_stops_of_the_embedded_model_and_its_context(embedded: Path) -> None:
    served = served_model(embedded)
    # llama.cpp also ends at <reponame>, which is for filling in code.
    assert served.stops == ("<|im_end|>", "<|endoftext|>")
    assert (served.context, served.trained_context) == (8192, 8192)


@pytest.mark.parametrize(
    ("trained", "context"), [(131072, 16384), (16384, 16384), (2048, 2048), (None, 8192)]
)
def test_no_more_context_than_agents_need_nor_than_the_model_has(
    exported: Release, tmp_path: Path, trained: int | None, context: int
) -> None:
    path = tmp_path / "m.gguf"
    data = (exported.folder / FILES[1]).read_bytes()
    key = b"llama.context_length"
    at = data.index(key) + len(key) + 4
    value = b"\x00\x00\x00\x00" if trained is None else trained.to_bytes(4, "little")
    path.write_bytes(data[:at] + value + data[at + 4 :])
    assert served_model(path).context == context


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("license: apache-2.0", ("apache-2.0", None, None)),
        ("license: Apache-2.0", ("apache-2.0", None, None)),
        (
            "license: other\nlicense_name: lfm1.0\nlicense_link: LICENSE",
            ("other", "lfm1.0", "LICENSE"),
        ),
        ("license: Gemma Terms of Use", ("other", "Gemma Terms of Use", None)),
        ("license: [mit, bsd]", None),
        ("title: no licence", None),
        ("license: ''", None),
        ("{{{ no yaml", None),
        (None, None),
    ],
)
def test_the_licence_is_what_the_base_says_and_never_more(
    exported: Release, tmp_path: Path, front: str | None, expected: tuple[str, ...] | None
) -> None:
    base = tmp_path / "tiny"
    shutil.copytree(exported.model.path, base)
    if front is not None:
        (base / "README.md").write_text(f"---\n{front}\n---\n\n# Base\n")
    found = base_facts(ModelSettings(path=str(base)))
    assert (found.name, found.repository) == ("tiny", None)
    told = found.licence and (found.licence.identifier, found.licence.name, found.licence.link)
    assert told == expected
    build_release(replace(exported, model=ModelSettings(path=str(base))), tmp_path / "r")
    text = (tmp_path / "r/README.md").read_text()
    card = ModelCard(text).data
    names = ("license", "license_name", "license_link")
    assert tuple(card.get(name) for name in names) == (expected or (None,) * 3)
    assert ("is **not known**" in text) is (expected is None)
    assert "LICENSE" in [c.name for c in commands((tmp_path / "r/Modelfile").read_text())] or (
        expected is None
    )


def test_the_embedded_base_has_a_name_on_the_hub_and_a_licence() -> None:
    found = base_facts(ModelSettings())
    assert found.public_name == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert found.licence == Licence("apache-2.0", "the metadata of its GGUF file")


def test_a_base_of_the_hub_is_told_by_its_name(exported: Release, tmp_path: Path) -> None:
    release = replace(exported, model=ModelSettings(path="some-org/some-model"))
    build_release(release, tmp_path / "r")
    for page, relation in (("README.md", "finetune"), ("adapter/README.md", "adapter")):
        card = ModelCard((tmp_path / "r" / page).read_text()).data
        assert card.get("base_model") == "some-org/some-model"
        assert card.get("base_model_relation") == relation
        assert card.get("pipeline_tag") == "text-generation"
    build_release(replace(release, adapter=None), tmp_path / "base")
    card = ModelCard((tmp_path / "base/README.md").read_text()).data
    assert card.get("base_model_relation") == "quantized"
    assert not (tmp_path / "base/adapter").exists()


def test_what_was_not_measured_is_said(exported: Release, tmp_path: Path) -> None:
    build_release(exported, tmp_path / "r")
    text = (tmp_path / "r/README.md").read_text()
    assert "Not measured: no evaluation" in text
    assert "Nothing is known of how this adapter was trained" in text
    assert not (tmp_path / "r/results.json").exists()
    checks = exported.summary.verification.logits
    rows = [line for line in text.splitlines() if line.startswith(("| F16 |", "| Q8_0 |"))]
    assert [row.split(" | ")[2] for row in rows] == [f"{check.mean_kl:.2g}" for check in checks]


@pytest.mark.parametrize("same", [True, False])
def test_it_is_said_which_file_was_measured(exported: Release, tmp_path: Path, same: bool) -> None:
    sha256 = exported.summary.files[1].sha256 if same else "ab" * 32
    measured = Measured(
        model="dpo", file_sha256=sha256, quantization="Q8_0", sentences=["It solves 3%."],
        conditions=[], tables=[], results=[],
    )  # fmt: skip
    build_release(replace(exported, provenance=Provenance(measured=measured)), tmp_path / "r")
    text = " ".join((tmp_path / "r/README.md").read_text().split())
    assert "It solves 3%." in text
    assert ("Measured was `tiny-tooldrill-Q8_0.gguf` of this folder" in text) is same
    assert ("not one of this folder" in text) is not same


def test_every_file_that_a_line_names_is_there(exported: Release, tmp_path: Path) -> None:
    build_release(exported, tmp_path / "r")
    text = (tmp_path / "r/README.md").read_text()
    lines = re.findall(r"^    (.+)$", text, flags=re.MULTILINE)
    assert [line.split()[0] for line in lines] == [
        "sha256sum", "llama-server", "llama-server", "ollama", "tooldrill", "tooldrill", "tooldrill"
    ]  # fmt: skip
    named = {word for line in lines for word in line.split() if "." in word or word == "Modelfile"}
    assert {"tiny-tooldrill-Q8_0.gguf", "config.yaml", "Modelfile"} == named
    assert all((tmp_path / "r" / name).is_file() for name in named)
    assert all("-c 512" in line for line in lines if line.startswith("llama-server"))
