"""Caches of every kind give the replies that computing the whole prompt anew gives."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tiny_engine import PLAIN, assert_as_alone, open_engine, replies, save_gguf, turn
from tiny_families import GRANITE4, LINEAR, MAMBA

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.render import ChatTemplate

WORDS = ("read", "write", "append", "file", "path", "line", "call", "tool", "name", "value")
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "window": (
        "gemma3_text",
        {
            "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"] * 2 + ["sliding_attention"],
        },
    ),
    "convolution": (
        "lfm2",
        {"layer_types": ["conv", "full_attention", "conv", "conv", "full_attention"]},
    ),
    "mamba": (
        "granitemoehybrid",
        {
            **GRANITE4, **MAMBA,
            "layer_types": ["mamba", "attention", "mamba", "mamba", "attention"],
        },
    ),
    "delta": ("qwen3_5_text", {**LINEAR, "head_dim": 32, "num_hidden_layers": 4}),
}  # fmt: skip


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder, made = tmp_path_factory.mktemp("models"), {}

    def path(kind: str) -> Path:
        if kind not in made:
            name, own = KINDS[kind]
            made[kind] = save_gguf(folder / f"{kind}.gguf", name, **own)
        return made[kind]

    return path


def words(count: int, seed: int) -> str:
    rng = random.Random(seed)
    return "".join(rng.choice(WORDS) + " " for _ in range(count))


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("parallel", [1, 3])
def test_prompts_that_part_in_the_middle(kind: str, parallel: int, make: Any) -> None:
    path = make(kind)
    system = words(120, 0)
    prompts = {f"{n}": system + words(30, n) + "?" for n in range(1, 6)}
    prompts["other"] = words(40, 9) + system
    # Delta rules norm what their states give back: rounding grows, and shows in late tokens.
    tokens = 10 if kind == "delta" else 24
    engine = open_engine(path, parallel, context=2048)
    given = replies(engine, [turn(key, text, tokens) for key, text in prompts.items()])
    again = replies(engine, [turn(key, text, tokens) for key, text in prompts.items()])
    engine.close()
    for key, text in prompts.items():
        asked = turn(key, text, tokens)
        assert_as_alone(given[key].text, path, asked)
        assert_as_alone(again[key].text, path, asked)
    late = [given[key] for key in ("4", "5")]
    assert all(one.cached_tokens > 0.5 * one.prompt_tokens for one in late)
    assert len({one.text for one in given.values()}) > 3


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_episode_goes_on_with_its_own_cache(kind: str, make: Any) -> None:
    path = make(kind)
    engine = open_engine(path, 2, context=2048)
    prompts = {"a": words(60, 1), "b": words(70, 2)}
    for step in range(4):
        for key, text in prompts.items():
            engine.submit(turn(key, text, 10))
        done: dict[str, Any] = {}
        while len(done) < 2:
            done.update(engine.collect())
        for key, generation in done.items():
            assert_as_alone(generation.text, path, turn(key, prompts[key], 10))
            if step:
                assert generation.cached_tokens >= 0.6 * generation.prompt_tokens
            # The second step follows the reply word for word, the third leaves it out.
            said = generation.text if step % 2 == 0 else "[cut]"
            prompts[key] += said + words(25, 10 + step)
    engine.close()


@pytest.mark.parametrize("kind", ["llama", "convolution", "window"])
def test_a_history_that_is_changed_in_the_middle_is_read_again(kind: str, make: Any) -> None:
    path = make(kind)
    engine = open_engine(path, 1, context=2048)
    start = words(90, 3)
    for text in (start + "one " + words(50, 4), start + "two " + words(60, 5)):
        engine.submit(turn("same", text))
        ((_, generation),) = engine.collect()
        assert_as_alone(generation.text, path, turn("same", text))
    assert generation.cached_tokens > 0 or kind == "convolution"
    engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["llama", "delta"])
def test_a_prompt_of_six_thousand_tokens(kind: str, make: Any) -> None:
    import llama_cpp

    path, text = make(kind), words(2750, 6)
    engine = open_engine(path, 2, context=8192)
    long = turn("long", text)
    given = replies(engine, [long, turn("short", text[:400])])
    engine.close()
    assert given["long"].prompt_tokens > 6000
    stock = llama_cpp.Llama(str(path), n_ctx=8192, n_threads=1, verbose=False)
    prompt = ChatTemplate(PLAIN).render(
        long.messages, long.tools, long.protocol, add_generation_prompt=True
    )
    tokens = stock.tokenize(prompt.encode(), add_bos=False, special=True)
    assert given["long"].prompt_tokens == len(tokens)
    raw = b""
    for token in stock.generate(tokens, temp=0.0, repeat_penalty=1.0):
        raw += stock.detokenize([token], special=True)
        if len(raw.decode(errors="replace")) >= len(given["long"].text):
            break
    assert raw.decode(errors="replace").startswith(given["long"].text[:20])
    stock.close()


def test_a_context_that_fills_up_cuts_the_reply(make: Any) -> None:
    engine = open_engine(make("llama"), 2, context=256)
    prompt = words(15, 7)
    given = replies(engine, [turn("full", prompt, 1000), turn("far", words(5, 8), 12)])
    full = given["full"]
    assert full.failure is None
    assert full.stop == "length"
    assert full.prompt_tokens + full.reply_tokens == 256
    assert given["far"].reply_tokens <= 12
    assert_as_alone(full.text, make("llama"), turn("full", prompt, full.reply_tokens))
    # The slot is usable afterwards.
    asked = turn("next", prompt, 8)
    assert_as_alone(replies(engine, [asked])["next"].text, make("llama"), asked)
    engine.close()


def test_more_turns_than_slots_are_refused(make: Any) -> None:
    engine = open_engine(make("llama"), 2)
    for key in "ab":
        engine.submit(turn(key, "read "))
    with pytest.raises(RuntimeError, match="slots"):
        engine.submit(turn("c", "read "))
    engine.close()


@pytest.mark.parametrize("cache_type", ["f32", "bf16", "q8_0", "q4_0"])
def test_cache_types_do_not_depend_on_the_width(cache_type: str, tmp_path: Path) -> None:
    path = save_gguf(tmp_path / "m.gguf", head_dim=32)
    turns = [turn(str(n), words(40, 0) + words(20 + 9 * n, n), 16) for n in range(6)]
    given = []
    for parallel in (1, 4):
        engine = open_engine(path, parallel, cache_type=cache_type)
        assert engine.info.settings["cache_type"] == cache_type
        quantized = cache_type.startswith("q")
        assert engine.info.settings["flash_attention"] == ("on" if quantized else "off")
        given.append({key: one.text for key, one in replies(engine, turns).items()})
        engine.close()
    assert given[0] == given[1]
    assert len(set(given[0].values())) > 3


def test_a_cache_type_that_the_model_cannot_have_is_refused_in_one_line(make: Any) -> None:
    with pytest.raises(TooldrillError, match=r"type q8_0: .*block size") as caught:
        open_engine(make("llama"), cache_type="q8_0")  # heads of 16 values, blocks of 32
    assert "\n" not in caught.value.message
    assert "cache_type=f16" in caught.value.next_step


def test_settings_reach_the_info(make: Any) -> None:
    engine = open_engine(make("llama"), 3, context=768)
    wanted = {"context": 768, "parallel": 3, "threads": 1, "gpu_layers": 0, "cache_type": "f16"}
    assert wanted.items() <= engine.info.settings.items()
    engine.close()
