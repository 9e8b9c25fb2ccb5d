"""The tools that a request offers and requires; Chat Completions and Responses state them differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.models import ToolChoice

FRAME_TOKENS = 7
"""What a tool call has beside its name and arguments [tokens]: `error_tool` with `{}` was recorded with 10."""


class Offer(NamedTuple):
    """The tools that a model may use."""

    schemas: Mapping[str, JsonObject]
    """The JSON Schema of the arguments of each, by name."""
    choice: ToolChoice
    wanted_tool: str
    """The one that must be used; empty when there is a choice."""

    @property
    def wanted(self) -> JsonObject | None:
        """The JSON Schema of the arguments of the one that must be used."""
        return self.schemas.get(self.wanted_tool)


def offer(functions: Sequence[JsonObject], choice: object) -> Offer:
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
        return Offer(offered, "none", "")
    named = mode if mode not in ("auto", "required") else ""
    if mode == "required" and len(offered) == 1:
        (named,) = offered
    if named in offered:
        return Offer(offered, "any", named)
    return Offer(offered, "any" if mode == "required" and offered else "auto", "")


def _allowed(choice: object) -> tuple[list[str] | None, str]:
    """Which tools are allowed, None meaning all, and the mode of choice, or the name of the tool."""
    if isinstance(choice, str):
        return None, choice
    if not isinstance(choice, dict):
        return None, "auto"
    if choice.get("type") == "allowed_tools":
        inner = choice.get("allowed_tools") or choice
        names = [_name(tool) for tool in inner.get("tools") or ()]
        return names, inner.get("mode") or "auto"
    return None, _name(choice) or "auto"


def _name(tool: JsonObject) -> str:
    return str((tool.get("function") or tool).get("name") or "")
