"""Time and order: one virtual clock, and what is drawn by key.

Read `kernel.py` (the clock, `park` and `wake`), then `loop.py` (asyncio on top of it) and `program.py` (how a program is run).
`world.py` runs a program of the user, for whom clocks, entropy, threads and sockets must be simulated too. `order.py`
makes asyncio's sets iterate in one order, `stuck.py` explains a deadlock. `draws.py`, `distributions.py` and
`arrivals.py` are where chance comes from. The kernel knows nothing of language models.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from harness.chance.draws import Draws
from harness.kernel.kernel import Kernel
from harness.kernel.loop import happened
from harness.kernel.program import run

if TYPE_CHECKING:
    from harness.virtual.world import choose_order, run_here, run_program, simulated_world

__all__ = [
    "Draws",
    "Kernel",
    "choose_order",
    "happened",
    "run",
    "run_here",
    "run_program",
    "simulated_world",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Load what runs programs of the user when it is first needed: it brings much of the standard library along."""
    if name not in __all__:
        raise AttributeError(f"module 'harness.kernel' has no attribute {name!r}")
    return getattr(importlib.import_module("harness.virtual.world"), name)
