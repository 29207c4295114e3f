"""Ollama's `Modelfile`.

No TEMPLATE is written: since 0.30 Ollama runs a GGUF file with the chat template in it, which is
the one of the training, and REQUIRES keeps older ones from serving the model with another prompt.
The language: https://docs.ollama.com/modelfile. It knows no escapes: a value with line breaks
stands between three double quotes, any other is the rest of its line.
"""

from __future__ import annotations

from tooldrill.export.release.base_facts import BaseFacts
from tooldrill.export.release.served import ServedModel

OLDEST_OLLAMA = "0.30.0"
# As the evaluation runs the model.
_SAMPLING = ("PARAMETER temperature 0", "PARAMETER repeat_penalty 1")


def modelfile(file: str, served: ServedModel, base: BaseFacts) -> str:
    """The text for a GGUF file that lies beside it.

    Args:
        file: its name, of letters, digits and `-._+` only.
    """
    lines = [
        "# ollama create NAME -f Modelfile",
        f"FROM ./{file}",
        f"REQUIRES {OLDEST_OLLAMA}",
        *_SAMPLING,
        f"PARAMETER num_ctx {served.context}",
        *(f'PARAMETER stop "{stop}"' for stop in served.stops),
        _licence(base),
    ]
    return "\n".join(lines) + "\n"


def _licence(base: BaseFacts) -> str:
    if base.licence is None:
        return "# The licence of the base model is not known."
    told = f"{base.licence.shown} (of the base model {base.public_name})"
    link = f"\n{base.licence.link}" if base.licence.link else ""
    text = (told + link).replace('"', "'")
    return f'LICENSE """{text}"""'
