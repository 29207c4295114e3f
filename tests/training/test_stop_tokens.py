"""A turn whose stop token would not be learned is refused by name."""

from __future__ import annotations

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate, bundled_template
from tooldrill.training.base_model import load_tokenizer
from tooldrill.training.examples import IGNORED, Encoder
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

ROW = {
    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}],
    "tools": [],
    "trace_id": "t-1",
}
# Turns that end with a line break and no token.
BARE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}" + (
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


@pytest.mark.slow
def test_a_template_without_stop_tokens_is_refused() -> None:
    tokenizer = load_tokenizer(resolve(ModelSettings(path="smollm2-135m")))
    native = get_protocol("native")
    good = Encoder(tokenizer, ChatTemplate(bundled_template()), 512).example(ROW, native)
    learned = [label for label in good.sequences[0].labels if label != IGNORED]
    assert tokenizer.decode(learned) == "Hello.<|im_end|>"
    with pytest.raises(TooldrillError, match=r"t-1/native.*no stop token"):
        Encoder(tokenizer, ChatTemplate(BARE), 512).example(ROW, native)
