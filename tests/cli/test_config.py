"""Reading a run's config: every problem at once, each with its place and the nearest key."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from tooldrill.agent.errors import TooldrillError
from tooldrill.config import ConfigError, RunConfig, dump_resolved, load_config


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text, "utf-8")
    return path


def problems(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return [line.replace(f"{path}:", "FILE:") for line in caught.value.lines]


def test_all_problems_are_told_together_in_file_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "name: demo\n"
        "data:\n"
        "  traces: '300'\n"
        "training:\n"
        "  sft:\n"
        "    learnin_rate: 1e-4\n"
        "    epochs: -1\n"
        "  dpo: {batchSize: 2}\n"
        "eval:\n"
        "  tools: [6, 2]\n",
    )
    assert problems(path) == [
        'FILE:3: data.traces: must be an integer, not "300"',
        "FILE:6: training.sft.learnin_rate: unknown key; did you mean learning_rate?",
        "FILE:7: training.sft.epochs: must be greater than 0, not -1",
        "FILE:8: training.dpo.batchSize: unknown key; did you mean batch_size?",
        "FILE:10: eval.tools: must be [fewest, most] with 1 <= fewest <= most, not [6, 2]",
    ]


def test_a_key_in_the_wrong_section_is_pointed_to_the_right_one(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\nmax_steps: 3\nbeta: 0.2\n")
    assert problems(path)[1] == "FILE:3: beta: unknown key; did you mean training.dpo.beta?"


@pytest.mark.parametrize(
    ("written", "value"),
    [("1e-5", 1e-5), ("1E-5", 1e-5), ("5e-06", 5e-6), ("0.5", 0.5), ("1", 1.0)],
)
def test_exponents_are_numbers(tmp_path: Path, written: str, value: float) -> None:
    path = write(tmp_path, f"name: a\ntraining: {{sft: {{learning_rate: {written}}}}}\n")
    assert load_config(path).training.sft.learning_rate == value
    override = load_config(path, [f"training.dpo.learning_rate={written}"])
    assert override.training.dpo.learning_rate == value


@pytest.mark.parametrize("value", ["true", "'3'", "3.5", ".inf", ".nan", "[3]", "yes"])
def test_an_integer_is_nothing_else(tmp_path: Path, value: str) -> None:
    path = write(tmp_path, f"name: a\ntraining:\n  lora:\n    rank: {value}\n")
    lines = problems(path)
    assert lines
    assert all(line.startswith("FILE:4: training.lora.rank: must be") for line in lines)


@pytest.mark.parametrize("value", [".inf", ".nan"])
def test_numbers_are_finite(tmp_path: Path, value: str) -> None:
    path = write(tmp_path, f"name: a\ntraining: {{dpo: {{beta: {value}}}}}\n")
    assert "FILE:2: training.dpo.beta: must be a finite number" in problems(path)


def test_every_duplicate_key_is_an_error_with_both_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ndata:\n  traces: 3\n  seed: 1\n  traces: 4\nname: b\n")
    assert problems(path) == [
        "FILE:5: data.traces: duplicate key; it stands already in line 3",
        "FILE:6: name: duplicate key; it stands already in line 1",
    ]


def test_overrides_win_and_are_named_when_wrong(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ndata:\n  traces: 3\n")
    config = load_config(path, ["data.traces=7", "name=b", "data.worlds=[files]", "data.pairs=0",
                                "training.dpo.enabled=false"])  # fmt: skip
    assert (config.name, config.data.traces, config.data.worlds) == ("b", 7, ["files"])
    assert not config.training.dpo.enabled
    assert problems(path, "data.traces=x", "training.sft.learnig_rate=1", "data.seed") == [
        "argument training.sft.learnig_rate=1: training.sft.learnig_rate: unknown key; "
        "did you mean training.sft.learning_rate?",
        "argument data.seed: an override has the form key.path=value, training.dpo.beta=0.2 say",
        'argument data.traces=x: data.traces: must be an integer, not "x"',
    ]


def test_overrides_reach_into_lists(tmp_path: Path) -> None:
    gguf = tmp_path / "x.gguf"
    gguf.touch()
    path = write(tmp_path, f"name: a\neval:\n  baselines:\n    - {{name: old, gguf: {gguf}}}\n")
    config = load_config(
        path,
        [
            "eval.baselines.0.name=new",
            "eval.baselines.1.name=served",
            "eval.baselines.1.endpoint=http://localhost:1/v1",
        ],
    )
    assert [b.name for b in config.eval.baselines] == ["new", "served"]
    (line,) = problems(path, "eval.baselines.3.name=x")
    assert line.endswith("eval.baselines has 1 items; the next one is number 1")


def test_worlds_keep_to_their_side_of_the_split(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "name: a\ndata:\n  worlds: [files, calendar, fils]\neval:\n  worlds: [files, contacts]\n",
    )
    lines = problems(path)
    assert lines[0].startswith("FILE:3: data.worlds.1: calendar is held out for evaluation; use ")
    assert lines[1] == "FILE:3: data.worlds.2: no world named fils; did you mean files?"
    assert lines[2].startswith("FILE:5: eval.worlds.0: files is a training world; use ")
    assert len(lines) == 3


def test_what_is_wrong_between_values(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "name: a\n"
        "model: {path: ./nowhere}\n"
        "data: {recovery: 0.7, restraint: 0.4, pairs: 0}\n"
        "training: {sft: {enabled: false}}\n"
        "export: {quantizations: [F16]}\n"
        "eval:\n"
        "  quantization: Q8_0\n"
        "  baselines: [{name: base, gguf: no.gguf}, {name: x, endpoint: 'localhost:1'}]\n",
    )
    told = problems(path)
    keys = [line.split(": ")[1] for line in told]
    assert keys == [
        "model.path", "data.recovery", "data.pairs", "training.dpo.enabled", "eval.quantization",
        "eval.baselines.0.name", "eval.baselines.0.gguf", "eval.baselines.1.endpoint",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("training", "told"),
    [
        ("{rounds: 2, dpo: {enabled: false}}", "training.rounds: rounds go on from DPO"),
        ("{dpo: {label_smoothing: 0.1}}", "label_smoothing: does nothing with sigmoid, only with"),
        ("{dpo: {loss: exo_pair}}", "label_smoothing: exo_pair needs more than 0"),
        ("{sft: {protocols: [native, native]}}", "sft.protocols: a protocol is listed twice"),
        ("{launcher: 'torchrun \"x'}", "training.launcher: is no command: no closing quotation"),
        ("{launcher: ' '}", "training.launcher: is empty"),
    ],
)
def test_training_settings_that_would_do_nothing(tmp_path: Path, training: str, told: str) -> None:
    (line,) = problems(write(tmp_path, f"name: a\ntraining: {training}\n"))
    assert told in line


def test_a_seed_fills_what_is_not_given(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\nseed: 5\ntraining: {dpo: {seed: 2}}\n")
    config = load_config(path)
    assert (config.data.seed, config.training.sft.seed, config.training.dpo.seed) == (5, 5, 2)
    assert config.eval.seed == load_config(path, ["seed=9"]).eval.seed


def test_an_empty_section_means_its_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ndata:\ntraining:\n  sft:\n")
    assert load_config(path) == RunConfig(name="a")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b"])
def test_a_name_is_a_folder_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"name: '{name}'\n")
    assert problems(path)[0].startswith("FILE:1: name: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [a\n", ":2: not YAML"),
        ("- a\n- b\n", ":1: a config is a mapping"),
        ("name: a\n\tdata: 1\n", ":2: not YAML"),
        ("name: a\n---\nname: b\n", ":2: not YAML"),
    ],
)
def test_what_is_no_config_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(TooldrillError) as caught:
        load_config(path)
    assert f"{path}{message}" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.next_step


def test_aliases_work_and_one_that_contains_itself_is_refused(tmp_path: Path) -> None:
    good = write(tmp_path, "name: a\ndata: {tools: &t [3, 4]}\neval: {tools: *t}\n")
    assert load_config(good).eval.tools == (3, 4)
    bad = write(tmp_path, "name: a\ndata: &d\n  worlds: *d\n")
    assert "FILE:2: data.worlds: an alias that contains itself" in problems(bad)


def test_a_missing_name_and_an_empty_file(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    assert problems(path) == ["FILE: name: missing"]


def test_the_resolved_config_loads_back_equal(tmp_path: Path) -> None:
    config = load_config(
        write(tmp_path, "name: a\ntraining: {sft: {learning_rate: 1e-5, max_steps: 3}}\n")
    )
    text = dump_resolved(config)
    assert "learning_rate" in text
    assert load_config(write(tmp_path, text)) == config


def test_the_schema_accepts_what_the_config_accepts() -> None:
    schema = RunConfig.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    whole = json.loads(RunConfig(name="a").model_dump_json())
    assert not list(validator.iter_errors(whole))
    whole["training"]["sft"]["learnin_rate"] = 1
    assert [list(error.path) for error in validator.iter_errors(whole)] == [["training", "sft"]]


CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configs_are_valid_and_open_with_how_to_use_them(path: Path) -> None:
    text = path.read_text("utf-8")
    assert load_config(path).name
    head = text.split("\nname:")[0]
    assert all(word in head for word in ("Prerequisites:", "Launch:", "Overrides:"))
    assert YAML(typ="safe", pure=True).load(text)
