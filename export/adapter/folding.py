"""One global alpha for llama.cpp, and the factor by which every B makes up for the rest.

PEFT scales each module by itself: alpha / rank, with rsLoRA alpha / sqrt(rank), and either may
differ by pattern. llama.cpp scales by alpha / rank with one alpha for all and the rank of each
tensor. So alpha is chosen to be right for as many modules as possible; of the others B is scaled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tooldrill.export.adapter.peft_folder import LoraPair


def global_alpha(pairs: Sequence[LoraPair]) -> float:
    """The alpha that is right for most pairs without a factor; never 0, which llama.cpp ignores."""
    wanted = Counter(pair.scale * pair.rank for pair in pairs if pair.scale)
    return wanted.most_common(1)[0][0] if wanted else 1.0


def factor(pair: LoraPair, alpha: float) -> float:
    """What B is multiplied with, so that llama.cpp's alpha / rank gives the pair's scale."""
    return pair.scale * pair.rank / alpha
