"""Conversion by llama.cpp's own script, for models that `layouts` does not know.

The merged model is saved as safetensors into a temporary folder, and the script of the user's
checkout run on it. Whether the file is right is `verify`'s question, here as everywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tooldrill.agent.atomic import atomic_path
from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.export.disk import require_space
from tooldrill.export.lazy_tensor import loaded
from tooldrill.export.lookalikes import rename_in_file
from tooldrill.export.settings import Unquantized
from tooldrill.training.own_tokenizer import as_published
from tooldrill.training.quiet import quiet_transformers

VARIABLE = "LLAMA_CPP_DIR"
SCRIPT = "convert_hf_to_gguf.py"


def script_folder(setting: str | None) -> Path | None:
    """The checkout of llama.cpp that the setting or the environment names, if any.

    Raises:
        TooldrillError: when it holds no conversion script.
    """
    named = setting or os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not (folder / SCRIPT).is_file():
        origin = "export.llama_cpp_dir" if setting else f"${VARIABLE}"
        raise TooldrillError(
            f"{origin}: {folder} holds no {SCRIPT}",
            "give a checkout: git clone https://github.com/ggml-org/llama.cpp",
        )
    return folder


def convert_with_script(
    folder: Path,
    model: Any,
    tokenizer: Any,
    template: str,
    path: Path,
    *,
    name: str,
    kind: Unquantized = "F16",
    progress: Progress = silent,
) -> None:
    """Writes an F16 or BF16 GGUF with the script in `folder`; `path` appears whole or not at all.

    Args:
        template: the chat template of the training, embedded as it is.
        name: `general.name`.

    Raises:
        TooldrillError: when the script fails, or the disk is full.
    """
    weights = sum(w.numel() * w.element_size() for w in model.state_dict().values())
    halves = sum(2 * w.numel() for w in model.state_dict().values())
    require_space(path, weights + halves)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".merged-", dir=path.parent) as saved:
        progress(0, 2, "saving the merged model")
        _save(model, tokenizer, template, Path(saved))
        progress(1, 2, "llama.cpp's script is converting")
        with atomic_path(path) as temporary:
            arguments = [
                "--outfile",
                str(temporary),
                "--outtype",
                kind.lower(),
                "--model-name",
                name,
            ]
            _run(folder, [saved, *arguments])
            _check_template(temporary, template, folder)
    progress(2, 2, path.name)


def _save(model: Any, tokenizer: Any, template: str, folder: Path) -> None:
    templated = as_published(tokenizer)  # the script knows tokenizers by what they cut
    templated.chat_template = template
    tied = model.config.get_text_config().tie_word_embeddings
    state = {
        name: loaded(weights)
        for name, weights in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    with quiet_transformers():
        model.save_pretrained(folder, state_dict=state)
        templated.save_pretrained(folder)
    rename_in_file(tokenizer, folder / "tokenizer.json")


def _run(folder: Path, arguments: Sequence[str]) -> None:
    # The script goes with the gguf of its own checkout, not with the installed one.
    paths = [str(folder / "gguf-py"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, str(folder / SCRIPT), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = said[-1][:300] if said else f"it ended with status {done.returncode}"
        raise TooldrillError(
            f"llama.cpp's {SCRIPT} cannot convert this model: {reason}",
            f"update the checkout (git -C {folder} pull) and install its requirements"
            f" ({folder / 'requirements.txt'}), or use another base",
        )


def _check_template(path: Path, template: str, folder: Path) -> None:
    embedded = str(read_gguf_header(path).metadata.get("tokenizer.chat_template", ""))
    if embedded.splitlines() != template.splitlines():
        raise TooldrillError(
            f"llama.cpp's {SCRIPT} did not embed the chat template of the training",
            f"update the checkout: git -C {folder} pull",
        )
