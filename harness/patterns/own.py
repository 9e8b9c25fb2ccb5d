"""Patterns of the user's own modules, which a scenario file names as `module:Class`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from typing import Any

from harness.agents import Message
from harness.patterns.api import PATTERNS, Pattern, Team, made_by


@contextmanager
def patterns_known(own: Mapping[str, type[Pattern]]) -> Iterator[None]:
    """While inside, scenario files know these patterns of the user's own modules by their names, as `module:Class`.

    Args:
        own: The class of each.
    """
    PATTERNS.update(own)
    made_by.update({name: partial(OwnPattern, name) for name in own})
    try:
        yield
    finally:
        for name in own:
            del PATTERNS[name], made_by[name]


class OwnPattern:
    """A pattern of the user's own module, as a scenario keeps it: its class is of the run, which imports modules anew.

    Args:
        name: Where its class is, as `module:Class`.
        record: What the file says of it, as an instance of the class that was there when the file was read.
    """

    def __init__(self, name: str, record: Any) -> None:  # noqa: ANN401 - a dataclass of the user's
        self.name = name
        self.values = {
            field.name: getattr(record, field.name) for field in fields(record) if field.init
        }

    async def run(self, task: Message, team: Team) -> Message:
        """Nothing: `made` gives the pattern that runs."""
        raise AssertionError("a pattern of the user's own is made for each run")

    def made(self, find: Callable[[str], Callable[..., Any]]) -> Pattern:
        """The pattern itself.

        Args:
            find: Gives the class of the name.
        """
        pattern: Pattern = find(self.name)(**self.values)
        return pattern
