"""Keeping the libraries' log lines, deprecation warnings and progress bars out of ours.

Only for the time of a block: what a user's own code set before is put back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from warnings import catch_warnings, filterwarnings

from transformers import modeling_gguf_pytorch_utils
from transformers.utils import logging


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Errors still raise; warnings and bars of loading are not printed."""
    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    # The bar of dequantization listens to no setting, so it is made with disable=True.
    bar = modeling_gguf_pytorch_utils.tqdm
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    modeling_gguf_pytorch_utils.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        modeling_gguf_pytorch_utils.tqdm = bar
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def quiet_warnings() -> Iterator[None]:
    """Drops what the libraries warn each other of: deprecated names in their own calls."""
    with catch_warnings():
        filterwarnings("ignore", category=FutureWarning, module=r"(transformers|trl|peft)\.")
        filterwarnings("ignore", category=UserWarning, module=r"(torch|trl)\.")
        yield
