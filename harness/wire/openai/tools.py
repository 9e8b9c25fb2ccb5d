"""What tools a request offers, and which of them it insists on; Chat Completions and Responses word it differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Offer(NamedTuple):
    """The tools that a model may use."""

    names: tuple[str, ...]
    wanted: dict[str, Any] | None
    """The JSON Schema of the arguments of the one that must be used."""
    wanted_tool: str
    """The one that must be used; empty when there is a choice."""


def offer(functions: Sequence[dict[str, Any]], choice: object) -> Offer:
    """Read tools and the choice among them.

    Args:
        functions: Each function with its `name` and `parameters`.
        choice: `auto`, `none`, `required`, or what names a tool.
    """
    allowed, mode = _allowed(choice)
    offered = {
        str(function.get("name", "")): function.get("parameters") or {}
        for function in functions
        if allowed is None or function.get("name") in allowed
    }
    if mode == "none":
        return Offer((), None, "")
    named = mode if mode not in ("auto", "required") else ""
    if mode == "required" and len(offered) == 1:
        (named,) = offered
    if named not in offered:
        return Offer(tuple(offered), None, "")
    return Offer(tuple(offered), offered[named], named)


def _allowed(choice: object) -> tuple[list[str] | None, str]:
    """Which tools are allowed, None meaning all, and the mode of choice, or the name of the tool."""
    if isinstance(choice, str):
        return None, choice
    if not isinstance(choice, dict):
        return None, "auto"
    if choice.get("type") == "allowed_tools":
        inner = choice.get("allowed_tools", choice)
        return [_name(tool) for tool in inner.get("tools", ())], inner.get("mode", "auto")
    return None, _name(choice) or "auto"


def _name(tool: dict[str, Any]) -> str:
    return str(tool.get("function", tool).get("name", ""))
