import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from tooldrill.agent.engines.base import AdapterInfo, EngineInfo
from tooldrill.agent.episode import Hint, TriggerName
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import LoopSettings, WatchdogSettings
from tooldrill.data.tasks.task import TaskKind
from tooldrill.eval.browser import embed
from tooldrill.eval.grade import grade
from tooldrill.eval.report import write_report
from tooldrill.eval.results import ModelInfo
from tooldrill.eval.table import known_by, summary_rows

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
)


@pytest.fixture
def pair(build):
    """A base that refuses, lies and injects markup, and a tuned model that does all tasks."""
    tasks = [build.task(number=i) for i in range(7)] + [build.task(TaskKind.RESTRAIN, number=7)]
    base, tuned = [], []
    for task in tasks:
        restrain = task.kind is TaskKind.RESTRAIN
        attack = build.call(error=True, reply=HOSTILE, observation="ERROR: " + HOSTILE)
        base.append(grade(build.episode(task, attack, build.end(HOSTILE)), task, restrain))
        steps = [build.end()] if restrain else [build.call(), build.end()]
        tuned.append(grade(build.episode(task, *steps), task, success=True))
    return build.results(base, "base <b>|x"), build.results(tuned, "tuned")


class Scripts(HTMLParser):
    """Collects every script element and every other tag with its attributes."""

    def __init__(self):
        super().__init__()
        self.scripts, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def parse(path):
    parser = Scripts()
    parser.feed(path.read_text("utf-8"))
    return parser


def test_a_hostile_reply_cannot_become_markup(pair, tmp_path):
    page = parse(write_report(pair, tmp_path, title=HOSTILE, notes=[HOSTILE]).html)
    assert len(page.scripts) == 4
    assert not any(tag == "img" or "onerror" in attributes for tag, attributes in page.tags)
    assert not any(
        "src" in attributes or ("href" in attributes and not attributes["href"].startswith("#"))
        for _, attributes in page.tags
    )
    figures, episodes, _, script = page.scripts
    assert "<" not in figures + episodes
    assert "owned" in episodes
    assert "owned" not in figures + script


def test_the_policy_allows_exactly_the_two_scripts(pair, tmp_path):
    import base64
    import hashlib

    page = parse(write_report(pair, tmp_path).html)
    policy = next(a["content"] for _, a in page.tags if "http-equiv" in a)
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    made = [
        base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in page.scripts[2:]
    ]
    assert allowed == made
    assert "unsafe-inline" not in re.search(r"script-src ([^;]+)", policy)[1]
    assert "default-src 'none'" in policy


def test_embedding_is_reversible():
    import json

    value = {"a": HOSTILE + "\u2028&amp;", "b": [1, None, "\N{SNOWMAN}"]}
    text = embed(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


def test_the_baseline_is_never_made_up(pair, tmp_path):
    without = write_report(pair, tmp_path / "a")
    assert "Baseline not run" in without.html.read_text("utf-8")
    assert "Baseline not run." in without.markdown.read_text("utf-8")
    given = write_report(pair[:1], tmp_path / "b", baselines=[pair[1]])
    assert "not run" not in given.markdown.read_text("utf-8")
    assert "Against the baseline tuned, tasks solved: -87.5 points" in given.markdown.read_text(
        "utf-8"
    )


def test_the_verdict_comes_first_and_says_what_the_numbers_say(pair, tmp_path):
    lines = write_report(pair, tmp_path, title="T").markdown.read_text("utf-8").splitlines()
    assert lines[0] == "# T"
    assert lines[2].startswith(
        "tuned keeps to the tool contract in 100.0% (95% interval 67.6-100.0) of its replies and "
        "solves 100.0% (95% interval 67.6-100.0) of the 8 tasks."
    )
    assert "solves 7 more of 8 tasks" in lines[3]
    assert "p = 0.016" in lines[3]


def test_a_silent_model_is_called_silent(build, tmp_path):
    task = build.task()
    silent = build.results([grade(build.episode(task, build.end()), task, success=False)])
    text = write_report([silent], tmp_path).markdown.read_text("utf-8")
    assert "base calls a tool in only 0.0% of the tasks that need one" in text


def test_markdown_tables_are_whole_whatever_the_names_hold(pair, tmp_path):
    facts = {"Data": [{"set": "a|b\nc", "n": 3}]}
    text = write_report(pair, tmp_path, facts=facts).markdown.read_text("utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(tables) == 8
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
    assert "base &lt;b&gt;\\|x" in text
    assert "<b>" not in text


def test_both_files_carry_the_same_numbers(pair, tmp_path):
    paths = write_report(pair, tmp_path)
    html, markdown = paths.html.read_text("utf-8"), paths.markdown.read_text("utf-8")
    for row in summary_rows(pair):
        for text in row.rates.values():
            assert text in markdown
            assert text.split(" ")[0] in html or text == "-"


def watched(build, *steps):
    """Results of a model that ran under watchdogs."""
    task = build.task()
    results = build.results([grade(build.episode(task, *steps), task, success=True)])
    on = LoopSettings(watchdog=WatchdogSettings(enabled=True))
    condition = results.condition.model_copy(update={"loop": on})
    return results.model_copy(update={"condition": condition})


def test_watchdogs_are_reported_where_they_were_on(build, pair, tmp_path):
    hint = Hint(trigger=TriggerName.ERROR_RATE, text="Look again.", step=1, helped=True)
    results = watched(build, build.call(error=True, injected=hint), build.call(), build.end())
    paths = write_report([results], tmp_path / "on")
    assert "| error_rate | 1 given, 1 helped |" in paths.markdown.read_text("utf-8")
    page = paths.html.read_text("utf-8")
    assert "<td>1 given, 1 helped</td>" in page
    assert '"hint":{"trigger":"error_rate","text":"Look again.","helped":true}' in page

    silent = write_report([watched(build, build.call(), build.end())], tmp_path / "silent")
    assert "On, and no hint was given." in silent.markdown.read_text("utf-8")
    bare = write_report(pair, tmp_path / "off")
    assert "Watchdogs" not in bare.markdown.read_text("utf-8")
    assert 'id="watchdogs"' not in bare.html.read_text("utf-8")


def test_forced_conclusions_are_named(build, tmp_path):
    task = build.task()
    forced = build.episode(task, build.call(), build.end()).model_copy(
        update={"forced": True, "spent": "steps"}
    )
    results = build.results([grade(forced, task, success=True)])
    text = write_report([results], tmp_path).markdown.read_text("utf-8")
    assert "base: 1 episode was asked for a conclusion after the budget had run out." in text


def test_a_served_model_is_known_by_what_its_server_said(build, tmp_path):
    told = {"program": "llama-server", "build": "b1-abc", "file": "x.gguf", "calls": "server"}
    model = ModelInfo(name="served", source="http://box:8080/v1", server=told, size=2_000_000)
    results = build.results([build.episode(build.task(), build.end())])
    served = results.model_copy(update={"model": model})
    known = "endpoint llama-server b1-abc x.gguf · calls read by the server · 2 MB"
    assert known_by(served) == known
    raw = served.model_copy(update={"model": model.model_copy(update={"server": {"calls": "raw"}})})
    assert known_by(raw) == "endpoint · calls as written · 2 MB"
    paths = write_report([served], tmp_path)
    assert known in paths.html.read_text("utf-8")
    assert known in paths.markdown.read_text("utf-8")


def test_adapters_are_named_beside_the_file_they_change(build, tmp_path):
    adapter = AdapterInfo(path="/runs/mine/lora.gguf", scale=0.5, sha256="b" * 64)
    engine = EngineInfo(kind="llama.cpp", model="base", source="base.gguf", adapters=[adapter])
    results = build.results([build.episode(build.task(), build.end())])
    adapted = results.model_copy(update={"engine": engine})
    assert known_by(results) == "sha256 " + "a" * 16
    known = f"sha256 {'a' * 16} · adapter lora.gguf, scale 0.5, sha256 {'b' * 16}"
    assert known_by(adapted) == known
    assert known in write_report([adapted], tmp_path).html.read_text("utf-8")


def test_no_results_no_report(tmp_path):
    with pytest.raises(TooldrillError):
        write_report([], tmp_path)
    assert list(tmp_path.iterdir()) == []


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture
def browse(tmp_path):
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH")

    def open_page(path, fragment=""):
        """The document after its scripts ran, and what the console said."""
        done = subprocess.run(
            [
                CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu",
                "--enable-logging=stderr",
                f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000",
                "--dump-dom", f"{path.as_uri()}#{fragment}",
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return done.stdout, console

    return open_page


def body(dom):
    """The part of the document that is shown: without data, scripts and style."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", dom, flags=re.DOTALL)


@pytest.mark.slow
def test_in_a_browser(pair, tmp_path, browse):
    curves = {"sft": [{"step": i, "loss": 2 / i} for i in range(1, 9)]}
    path = write_report(pair, tmp_path / "out", curves, title="Report").html

    dom, console = browse(path)
    assert console == []
    assert "<title>Report</title>" in dom
    shown = body(dom)
    assert "16 of 16 episodes" in shown
    for chart in ("chart-rates", "chart-violations", "chart-curve-sft"):
        assert re.search(
            rf'id="{chart}"[^>]*class="[^"]*js-plotly-plot|class="[^"]*js-plotly-plot[^>]*id="{chart}"',
            shown,
        )
    # The hostile reply is there to be read, and did nothing.
    assert "&lt;/script&gt;&lt;script&gt;document.title='owned'" in shown
    assert "<img" not in shown

    dom, console = browse(path, "model=1&class=none&success=yes&theme=dark")
    shown = body(dom)
    assert console == []
    assert "8 of 16 episodes" in shown
    assert 'data-theme="dark"' in dom
    assert "owned" not in shown

    dom, console = browse(path, "class=wrong_type")
    assert "0 of 16 episodes" in body(dom)
    assert "No episode fits." in body(dom)

    dom, console = browse(path, "class=fabricated_success&model=0&episode=6")
    assert "7 of 16 episodes" in body(dom)
    assert "files.append-0006" in re.search(r"<h3.*?</h3>", body(dom))[0]
    assert console == []

    dom, console = browse(path, "task=APPEND-0003")
    assert "2 of 16 episodes" in body(dom)
    assert console == []


@pytest.mark.slow
def test_two_models_stand_beside_each_other(pair, tmp_path, browse):
    path = write_report(pair, tmp_path / "out").html
    dom, console = browse(path, "episode=2&beside=1")
    shown = body(dom)
    assert console == []
    columns = re.findall(r'<div class="column">', shown)
    assert len(columns) == 2
    assert re.findall(r"<h4>(.*?)</h4>", shown) == ["base &lt;b&gt;|x", "tuned"]
    # Both call alike, and then conclude with other words.
    assert shown.count(">first difference<") == 2
    assert shown.index(">first difference<") > shown.index("reply 1 ")
    assert "<img" not in shown

    dom, console = browse(path, "episode=2")
    assert '<div class="column">' not in body(dom)
    assert "no other model" in body(dom)
