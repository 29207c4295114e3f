"""FSDP between CPU processes, for a test: `accelerate launch --config_file F fsdp_on_cpu.py ...`.

torch shards over gloo; Accelerate, however, takes FSDP for something of accelerators and would fall
back to DDP. It is told that these processes are such. All else is what a GPU machine runs.
"""

from __future__ import annotations

import sys
from typing import Any

from accelerate import PartialState
from accelerate.utils import DistributedType

from tooldrill.training.jobs import main

join = PartialState.__init__


def join_as_accelerators(self: PartialState, *args: Any, **kwargs: Any) -> None:
    join(self, *args, **kwargs)
    if self.distributed_type == DistributedType.MULTI_CPU:
        self.distributed_type = DistributedType.MULTI_GPU


PartialState.__init__ = join_as_accelerators
main(sys.argv[-1])
