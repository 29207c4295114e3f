"""The training split's wordings, joined."""

from __future__ import annotations

from tooldrill.data.voices.frames import Frames
from tooldrill.data.voices.train_asides import ASIDES, BRIDGES, RULES
from tooldrill.data.voices.train_pastes import ARROWS, LEADS, PASTE_RULES, PASTES
from tooldrill.data.voices.train_registers import REGISTER_RULES, REGISTERS

FRAMES = Frames(
    rules={**RULES, **REGISTER_RULES, **PASTE_RULES},
    registers=REGISTERS,
    asides=ASIDES,
    bridges=BRIDGES,
    pastes=PASTES,
    leads=LEADS,
    arrows=ARROWS,
)
