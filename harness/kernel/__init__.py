"""Time and order: one virtual clock, and which thread or task runs next.

Read `kernel.py` (the clock, `park` and `wake`), then `baton.py` (threads alternate), `loop.py` (asyncio on top of it) and
`program.py` (running a program). `deterministic_asyncio.py` makes asyncio's sets iterate in one order,
`deadlock_report.py` explains a deadlock. The kernel knows nothing of language models.
"""

from __future__ import annotations

from harness.private_names import ASYNCIO, SIMPY, check_private_names

check_private_names(ASYNCIO)
check_private_names(SIMPY)

from harness.kernel.kernel import Kernel  # noqa: E402 - what follows stands on those names
from harness.kernel.loop import gone_through, happened  # noqa: E402 - likewise
from harness.kernel.program import run  # noqa: E402 - likewise

__all__ = ["Kernel", "gone_through", "happened", "run"]
