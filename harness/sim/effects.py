"""What the tools of a program did, as a test asks for it."""

from __future__ import annotations

from harness.wire.effects import Effect


class EffectList(tuple[Effect, ...]):
    """The effects of a run, in order; call it for those of one tool."""

    __slots__ = ()

    def __call__(self, tool: str) -> EffectList:
        """The effects of one tool.

        Args:
            tool: Its name.
        """
        return EffectList(effect for effect in self if effect.tool == tool)
