"""The environment variables of a program inside a run: a key for every SDK, and no proxy around the simulation."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from harness.apis import APIS

_PROVIDED = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}

_CLEARED = (
    "LANGCHAIN_TRACING",
    "LANGCHAIN_TRACING_V2",
    "LANGSMITH_TRACING",
    "LANGSMITH_TRACING_V2",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
)


def help_for_missing_key(report: str) -> list[tuple[str, str]]:
    """What to add to the report of a module that cannot be imported for want of an API key; nothing if that is not why.

    Args:
        report: What pytest shows of the error.

    Returns:
        Sections of a report, each a title and a text.
    """
    # A line of an error, as pytest shows it.
    names = "|".join(name for api in APIS.values() for name in api.provided)
    if not re.search(rf"^E .*(api[_ -]?key|{names})", report, re.IGNORECASE | re.MULTILINE):
        return []
    hint = (
        "A client is made when this module is imported, and finds no API key. Say `sim_keys = true` in the pytest section of "
        "the configuration: made-up keys are there from the beginning then."
    )
    return [("How to fix", hint)]


_inside: list[dict[str, str | None]] = []
"""What each of those who are inside found, in the order in which they came."""
_door = threading.Lock()


def provided() -> dict[str, str]:
    """The variables that a run sets.

    SDKs want a key before they are asked anything, and every key is fine. The others keep frameworks from calling home:
    a thread that was started before a run would do it for real.
    """
    return {
        name: value for api in APIS.values() for name, value in api.provided.items()
    } | _PROVIDED


def _cleared() -> tuple[str, ...]:
    """What a run takes away: what leads a program elsewhere, or reports what it does, on one machine and not on another."""
    return (*_CLEARED, *(name for api in APIS.values() for name in (api.base_url, *api.cleared)))


@contextmanager
def provided_environment() -> Iterator[None]:
    """Context manager: the variables are as a run wants them; runs in several threads may leave in any order."""
    given, cleared = provided(), _cleared()
    with _door:
        found = {name: os.environ.get(name) for name in (*given, *cleared)}
        _inside.append(found)
        os.environ.update(given)
        for name in cleared:
            os.environ.pop(name, None)
    try:
        yield
    finally:
        with _door:
            _leave(found)


def hidden_values() -> list[tuple[str, str]]:
    """The variables that are replaced or cleared at present, each with the value that it had before."""
    with _door:
        return [
            (name, value) for found in _inside for name, value in found.items() if value is not None
        ]


def _leave(found: dict[str, str | None]) -> None:
    place = next(place for place, one in enumerate(_inside) if one is found)
    del _inside[place]
    if place < len(_inside):
        # Whoever came next is still here, and puts back what was there before both.
        _inside[place].update(found)
        return
    for name, value in found.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
