"""What the tools of a program did, as a test asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import HarnessError, did_you_mean
from harness.wire.effects import Effect


class EffectList(tuple[Effect, ...]):  # noqa: SLOT001 - a tuple cannot have any that are not empty
    """The effects of a run, in order; call it for those of one tool."""

    described: Sequence[str] = ()
    """Names of the tools and commands that the test described."""

    @classmethod
    def of(cls, effects: Iterable[Effect], described: Sequence[str]) -> EffectList:
        """The effects of a run of a test that described some tools and commands."""
        made = cls(effects)
        made.described = described
        return made

    def __call__(self, tool: str) -> EffectList:
        """The effects of one tool; a program's own tools need no description, so that any name may be asked for.

        Args:
            tool: Its name.

        Raises:
            HarnessError: No tool has this name, and one has nearly this.
        """
        known = sorted({*self.described, *(effect.tool for effect in self)})
        if tool not in known and (hint := did_you_mean(tool, known)):
            raise HarnessError(f"there is no tool {tool!r}{hint}\n  Known: {', '.join(known)}")
        return EffectList(effect for effect in self if effect.tool == tool)
