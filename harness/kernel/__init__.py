"""Time and order: one virtual clock, and what is drawn by key.

Read `kernel.py` (the clock, `park` and `wake`), then `loop.py` (asyncio on top of it) and `program.py` (how a program is run). `order.py` makes asyncio's sets
iterate in one order, `stuck.py` explains a deadlock. `draws.py`, `distributions.py` and `arrivals.py` are where chance
comes from. The kernel knows nothing of language models.
"""

from __future__ import annotations

from harness.kernel.draws import Draws
from harness.kernel.kernel import Kernel
from harness.kernel.loop import happened
from harness.kernel.program import run

__all__ = ["Draws", "Kernel", "happened", "run"]
