"""Where things that can be made again are kept: $TOOLDRILL_CACHE, or the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder, which may not exist yet. Deleting it is always safe."""
    chosen = os.environ.get("TOOLDRILL_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tooldrill"
