"""What a program returns and did not run: a coroutine that nobody awaited, a generator that nobody iterated over."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterable
from types import AsyncGeneratorType
from typing import Never

from harness.errors import HarnessError

_EXPRESSION = "<genexpr>"


def refuse_unrun(output: object) -> None:
    """Refuse an output that is code which did not run, or a list of such.

    Raises:
        HarnessError: It is, so that the run tested nothing of that code.
    """
    unrun = [(each, said) for each in _parts(output) if (said := _unrun(each)) is not None]
    if not unrun:
        return
    for each, _ in unrun:
        if inspect.iscoroutine(each):
            each.close()  # or Python complains as well
    one, (what, how) = unrun[0]
    raise HarnessError(
        f"the program returned {what} {getattr(one, '__qualname__', '')!r}, whose code did not run\n  How to fix: {how}"
    )


def _parts(output: object) -> Iterable[object]:
    if type(output) is dict:
        return output.values()
    return output if isinstance(output, list | tuple) else (output,)


def _unrun(thing: object) -> tuple[str, str] | None:
    """What it is and how it is run; None if it is something else, or has begun."""
    if inspect.iscoroutine(thing) and inspect.getcoroutinestate(thing) == inspect.CORO_CREATED:
        return "the coroutine", "await it in the program; several at once with asyncio.gather"
    if inspect.isasyncgen(thing) and _is_fresh(thing):
        loop = "[part async for part in ...]"
        return (
            "the async generator",
            f"run an async function that iterates over it, such as `return {loop}`",
        )
    if (
        inspect.isgenerator(thing)
        and thing.gi_code.co_name != _EXPRESSION
        and inspect.getgeneratorstate(thing) == inspect.GEN_CREATED
    ):
        return "the generator", "run a function that iterates over it, such as `return list(...)`"
    return None


def _is_fresh(generator: AsyncGeneratorType[object, Never]) -> bool:
    """Whether an async generator has not begun."""
    if sys.version_info >= (3, 12):
        return inspect.getasyncgenstate(generator) == inspect.AGEN_CREATED
    frame = generator.ag_frame
    return (
        frame is not None and dis.opname[frame.f_code.co_code[frame.f_lasti]] == "RETURN_GENERATOR"
    )
