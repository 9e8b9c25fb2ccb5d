"""One example of a property test: what is described in it is forgotten at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_DESCRIBED = (
    "_allow_unmatched",
    "_providers",
    "_roles",
    "_faults",
    "_latency_factors",
    "_tools",
    "_processes",
    "_mcp_servers",
    "_a2a_agents",
    "_may_be_unused",
    "_met",
)
"""What a test describes, each in a collection of its own; see `Surroundings`."""


@contextmanager
def described_for_now(surroundings: Any) -> Iterator[None]:  # noqa: ANN401 - `Surroundings`, which imports this
    """Put back what was described before, at the end of a block.

    Args:
        surroundings: The `Surroundings`.
    """
    before = {name: getattr(surroundings, name) for name in _DESCRIBED}
    for name, value in before.items():
        setattr(surroundings, name, value if isinstance(value, bool) else value.copy())
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(surroundings, name, value)
