"""One way for a program to reach the world outside of its run, and what happens to it there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import NotSimulated

Outcome = Literal["virtual", "refused", "real"]


@contextmanager
def nothing_prepared() -> Iterator[None]:
    """What most ways need before the run."""
    yield


def kept_in_a_generator(function: Callable[..., Any], *args: object) -> Callable[[], Any]:
    """Prepares a generator that calls a function at each `next`; nothing comes to its local variables."""

    def generator(ask: Callable[..., Any], given: tuple[object, ...]) -> Iterator[Any]:
        while True:
            yield ask(*given)

    @contextmanager
    def prepare() -> Iterator[Any]:
        yield generator(function, args)

    return prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A row of docs/isolation.md, and a test.

    Args:
        what: What the program does, in the words of its author, such as `subprocess.run`.
        outcome: `virtual`: the program sees the simulated world. `refused`: it gets a `NotSimulated`. `real`: it
            sees the real world, which is a leak that the page explains.
        program: Does it inside a run, with what `prepare` gave as its argument. Of a `virtual` way it returns whether
            what it saw was virtual, of a `real` one whether it was real, so that a leak that is closed is noticed.
        names: Words of the refusal.
        raises: The refusal's class, where a library has one of its own for what it cannot reach.
        needs: A package that may not be installed.
        prepare: Makes what has to be there before the run, and takes it away after it.
        consequence: Why it is so, and what follows for the user; every `real` way has one.
    """

    what: str
    outcome: Outcome
    program: Callable[[Any], object]
    names: str = ""
    raises: type[Exception] = NotSimulated
    needs: str = ""
    prepare: Callable[[], Any] = nothing_prepared
    consequence: str = ""
