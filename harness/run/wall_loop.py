"""An event loop on the real clock, whose time begins at 0 as that of a simulated one does."""

from __future__ import annotations

import asyncio


class WallLoop(asyncio.SelectorEventLoop):
    """An event loop on the real clock. Its time is real seconds since it was made."""

    _zero_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self._zero_s = super().time()

    def time(self) -> float:
        """Real seconds since the loop was made."""
        return super().time() - self._zero_s

    async def sleep_until(self, when_s: float) -> None:
        """Wait until a time of this loop [s]."""
        await asyncio.sleep(when_s - self.time())
