"""Which subtask waits for which: read from a plan, checked for cycles before anything is dispatched, and kept to.

A pattern checks what its record says in `__post_init__`, with `ValueError`, so that a scenario file with a cycle is refused;
and what an agent's plan says with the error that is the default, which is simulated and ends the task.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from harness.patterns.api import PatternError

K = TypeVar("K", bound=str | int)
T = TypeVar("T")

_WORDS = r"(?:after|depends\s+on|needs|requires)"
_NUMBERS = r"(?:(?:tasks?|subtasks?|steps?)\s+)?\#?\d+(?:\s*(?:,|;|&|and|,\s*and)\s*\#?\d+)*"
_NOTE = re.compile(
    rf"\s*(?:[(\[]\s*{_WORDS}\s*:?\s*(?P<inside>{_NUMBERS})\s*[)\]]|[,;.\n]\s*{_WORDS}\s*:\s*(?P<last>{_NUMBERS}))\s*\.?\s*$",
    re.IGNORECASE,
)


class DependencyError(PatternError):
    """A plan in which subtasks wait for one another, or for one that is not there."""


def read_after(text: str) -> tuple[str, tuple[int, ...]]:
    """Read which subtasks a subtask waits for.

    Args:
        text: The subtask: a text that may end in a note such as `(after 1, 3)`, `[depends on 2]` or `; after: 1`; or a JSON
            object with `after` or `depends_on`, a number or a list of them.

    Returns:
        The subtask without the note, and the numbers of the subtasks that it waits for, 1 for the first. An object stays as
        it is.
    """
    if text.lstrip().startswith("{"):
        return text, _of_object(text)
    note = _NOTE.search(text)
    if note is None:
        return text, ()
    numbers = re.findall(r"\d+", note["inside"] or note["last"])
    return text[: note.start()].rstrip(), tuple(dict.fromkeys(map(int, numbers)))


def _of_object(text: str) -> tuple[int, ...]:
    try:
        said = json.loads(text)
    except ValueError:
        return ()
    after = said.get("after", said.get("depends_on", ())) if isinstance(said, dict) else ()
    numbers = after if isinstance(after, list) else [after] if after else []
    found = [re.fullmatch(r"\s*#?(\d+)\s*", str(number)) for number in numbers]
    return tuple(dict.fromkeys(int(number[1]) for number in found if number))


def numbered(after: Sequence[Sequence[int]]) -> dict[int, tuple[int, ...]]:
    """The dependencies of a list of subtasks as a graph, whose first subtask is 1."""
    return {number: tuple(others) for number, others in enumerate(after, 1)}


def cycle_in(after: Mapping[K, Sequence[K]]) -> tuple[K, ...]:
    """The first cycle of a graph, in the order of its listing.

    Args:
        after: For each subtask, those that it waits for.

    Returns:
        The subtasks of the cycle, each waiting for the next, the first once more at the end; empty if there is none.
    """
    finished: set[K] = set()
    for start in after:
        path: dict[K, Iterator[K]] = {} if start in finished else {start: iter(after[start])}
        while path:
            here, left = next(reversed(path.items()))
            step = next(left, None)
            if step is None:
                finished.add(here)
                del path[here]
            elif step in path:
                way = list(path)
                return (*way[way.index(step) :], step)
            elif step in after and step not in finished:
                path[step] = iter(after[step])
    return ()


def check_dependencies(
    after: Mapping[K, Sequence[K]], error: type[Exception] = DependencyError
) -> None:
    """Make sure that every subtask can be dispatched at some time.

    Args:
        after: For each subtask, those that it waits for.
        error: What is raised; `ValueError` for what a file says.

    Raises:
        DependencyError: A subtask waits for one that is not there; or some wait for one another, which names the cycle.
    """
    for name, others in after.items():
        for other in others:
            if other not in after:
                known = ", ".join(map(str, after))
                raise error(f"{name} waits for {other}, which is not there; there are {known}")
    cycle = cycle_in(after)
    if cycle:
        raise error(f"these wait for one another: {' -> '.join(map(str, cycle))}")


async def in_order(after: Mapping[K, Sequence[K]], work: Callable[[K], Awaitable[T]]) -> dict[K, T]:
    """Do each subtask when all that it waits for are done, and side by side what waits for nothing.

    Args:
        after: For each subtask, those that it waits for.
        work: Does one subtask.

    Returns:
        What came of each, in the order of `after`.

    Raises:
        DependencyError: They cannot all be done; nothing was begun.
        Exception: The first error of a subtask; the others are cancelled.
    """
    check_dependencies(after)
    doing: dict[K, asyncio.Task[T]] = {}

    async def do(name: K) -> T:
        await asyncio.gather(*(asyncio.shield(doing[other]) for other in after[name]))
        return await work(name)

    for name in after:
        doing[name] = asyncio.ensure_future(do(name))
    try:
        results = await asyncio.gather(*doing.values())
    except BaseException:
        for one in doing.values():
            one.cancel()
        await asyncio.gather(*doing.values(), return_exceptions=True)
        raise
    return dict(zip(doing, results, strict=True))
