import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EngineSettings, LoopSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.eval.measure import measure
from tooldrill.eval.models import open_engine, quantization_of
from tooldrill.eval.results import Results
from tooldrill.eval.run import evaluate
from tooldrill.eval.suites.task_set import TaskSet


def test_quantization_is_read_from_the_file_not_its_name(smollm2, tmp_path):
    link = tmp_path / "model-Q8_0.gguf"
    link.symlink_to(smollm2)
    assert quantization_of(link) == "Q4_1"


def test_one_model_is_named(tmp_path):
    for given in ({}, {"gguf": tmp_path / "a.gguf", "endpoint": "http://localhost:1/v1"}):
        with pytest.raises(TooldrillError, match="no model to evaluate, or two"):
            open_engine(EngineSettings(), **given)


def test_a_missing_file_gets_one_line(tmp_path):
    with pytest.raises(TooldrillError, match="no GGUF file"):
        open_engine(EngineSettings(), gguf=tmp_path / "none.gguf")


def test_an_endpoint_that_does_not_answer_gets_one_line():
    with pytest.raises(TooldrillError) as caught:
        open_engine(EngineSettings(), endpoint="http://127.0.0.1:9/v1")
    assert "127.0.0.1:9" in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.slow
def test_the_real_model_is_measured(smollm2, tmp_path):
    from tooldrill.agent.render import bundled_template

    tasks = make_tasks(["files"], 2, 1, (2, 2), recovery=0.5, restraint=0.0)
    loop = LoopSettings(max_steps=2, max_reply_tokens=24)
    settings = EngineSettings(context=1024, parallel=2, threads=2)
    engine, model = open_engine(settings, gguf=smollm2, name="base", template=bundled_template())
    try:
        results = evaluate(engine, model, TaskSet(tasks), loop, settings, tmp_path / "base.json")
    finally:
        engine.close()
    size = smollm2.stat().st_size
    assert (model.name, model.quantization, model.size) == ("base", "Q4_1", size)
    assert len(model.sha256) == 64
    assert Results.load(tmp_path / "base.json") == results
    measured = measure(results)
    assert (measured.episodes, measured.excluded) == (2, 0)
    for episode in results.episodes:
        assert episode.success is not None
        assert all(0 < step.reply_tokens <= 24 < step.prompt_tokens for step in episode.steps)
