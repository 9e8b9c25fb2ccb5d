"""Calls that an executor does side by side, with their results in the order of the calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from harness.run.undisturbed import undisturbed

C = TypeVar("C")
R = TypeVar("R")

_CALLS_PER_WORKER: Final = 2
"""How many each worker has, one to do and one to go on with, so that none idles."""

_AHEAD: Final = 4
"""So many times as many calls as are under way may be done before the one that is waited for."""


@dataclass(slots=True)
class InOrder(Generic[C, R]):
    """Calls whose results are taken in their order; none that is there is lost, however it ends.

    Args:
        calls: What is to be done; each is taken off when it is submitted.
        workers: How many are done at once.
        take: Told of each result. A signal that ends this process waits for it.
    """

    calls: deque[C]
    workers: int
    take: Callable[[R], None]
    _under_way: deque[tuple[C, Future[R]]] = field(default_factory=deque)

    @property
    def futures(self) -> list[Future[R]]:
        """What is under way, or was when it ended."""
        return [future for _, future in self._under_way]

    def step(self, submit: Callable[[C], Future[R]]) -> bool:
        """Take the next result, and keep the workers busy until it is there; raises what its call has raised.

        Returns:
            Whether there was one.
        """
        width = self.workers * _CALLS_PER_WORKER
        while self.calls or self._under_way:
            busy = [future for future in self.futures if not future.done()]
            while self.calls and len(busy) < width and len(self._under_way) < width * _AHEAD:
                busy.append(submit(self.calls[0]))
                self._under_way.append((self.calls.popleft(), busy[-1]))
            _, oldest = self._under_way[0]
            if oldest.done():
                result = oldest.result()
                with undisturbed():  # else it could be lost, or taken twice
                    self._under_way.popleft()
                    self.take(result)
                return True
            wait(busy, return_when=FIRST_COMPLETED)
        return False

    def take_done(self) -> list[C]:
        """Take the results that are there behind one that is not, as after an error.

        Returns:
            The calls that were under way and have no result.
        """
        without = []
        with undisturbed():
            while self._under_way:
                call, future = self._under_way.popleft()
                if future.done() and not future.cancelled() and future.exception() is None:
                    self.take(future.result())
                else:
                    without.append((call, future))
        self._under_way.extend(without)
        return [call for call, _ in without]

    def cancel(self) -> None:
        """Cancel what has not begun, in an executor that goes on."""
        for future in self.futures:
            future.cancel()
