"""Effects of tools: one effect is one use of a tool, identified by its name and arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from hashlib import blake2b
from typing import Literal, NamedTuple

Seen = Literal["program", "wire"]
"""Where a use was seen: the program used a simulated tool, or it brought the result of its own tool to a model."""

_LENGTH_MAX = 200
"""Longer arguments are cut, and told apart by a digest [characters]."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Effect(NamedTuple):
    """One use of a tool that did not fail."""

    tool: str
    arguments: str
    """As they are written in a call; equal arguments give equal texts, in any run."""
    seen: Seen

    def __str__(self) -> str:
        return f"{self.tool}({self.arguments})"


def effect(
    tool: str, seen: Seen, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None
) -> Effect:
    """The effect of a use.

    Args:
        tool: Name of the tool.
        seen: Where the use was seen.
        args: Positional arguments.
        kwargs: Arguments by name.
    """
    named = sorted((kwargs or {}).items())
    text = ", ".join([*map(_text, args), *(f"{name}={_text(value)}" for name, value in named)])
    if len(text) > _LENGTH_MAX:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        text = f"{text[:_LENGTH_MAX]}... #{digest}"
    return Effect(tool, text, seen)


def _text(value: object) -> str:
    """A value as text that depends neither on addresses nor on the order of a dict or a set."""
    if isinstance(value, Mapping):
        pairs = sorted(f"{_text(key)}: {_text(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Set):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    try:
        return _ADDRESS.sub("", repr(value))
    except Exception:  # noqa: BLE001 - a class of the program, whose repr is broken
        return f"<{type(value).__name__}>"
