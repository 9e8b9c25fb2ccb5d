"""The environment variables that a program finds inside a run: a key for every SDK, and no way around the simulation."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PROVIDED = {
    "ANTHROPIC_API_KEY": "sk-ant-simulated",
    "OPENAI_API_KEY": "sk-simulated",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}
"""SDKs want a key before they are asked anything, and every key is fine. The others keep frameworks from calling home:
a thread that was started before a run would do it for real."""

CLEARED = (
    "LANGCHAIN_TRACING",
    "LANGCHAIN_TRACING_V2",
    "LANGSMITH_TRACING",
    "LANGSMITH_TRACING_V2",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_PROFILE",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
)
"""What would lead a program to other servers than it is written for, or report what it does, on one machine and not on
another."""


_inside: list[dict[str, str | None]] = []
"""What each of those who are inside found, in the order in which they came."""
_door = threading.Lock()


@contextmanager
def provided_environment() -> Iterator[None]:
    """While inside, the variables are as a run wants them; runs in several threads may leave in any order."""
    with _door:
        found = {name: os.environ.get(name) for name in (*PROVIDED, *CLEARED)}
        _inside.append(found)
        os.environ.update(PROVIDED)
        for name in CLEARED:
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
