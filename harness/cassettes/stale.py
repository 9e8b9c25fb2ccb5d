"""Whether a cassette still is what a program asks: recordings that nobody asks for any more, and requests without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.cassettes.asked import last_user_text_of, model_asked
from harness.cassettes.cassette import Interaction
from harness.cassettes.nearest import difference, nearest

CACHE_KEY = "harness/cassettes"
"""Where pytest's cache keeps the numbers of the interactions that a session did not use, by file."""

_SHOWN_MAX = 5
_TEXT_MAX = 60


@dataclass(slots=True)
class Use:
    """What was used of one cassette, by one test or by many."""

    path: str
    used: set[int] = field(default_factory=set)
    """Numbers of the interactions that were given."""
    missing: list[str] = field(default_factory=list)
    """What was asked and is not recorded, in words."""

    def add(self, other: Use) -> None:
        """Add the use by another test."""
        self.used |= other.used
        self.missing += other.missing


def stale(use: Use, interactions: Sequence[Interaction]) -> str | None:
    """Why a cassette is stale, with what differs; None if it is not.

    Args:
        use: What was used of it.
        interactions: What it holds.
    """
    unused = [one for one in interactions if one.number not in use.used]
    if not unused and not use.missing:
        return None
    lines = [f"{use.path}: the cassette is stale"]
    if unused:
        are = "recorded request is" if len(unused) == 1 else "recorded requests are"
        lines.append(f"  {len(unused)} of {len(interactions)} {are} made no more:")
        lines += [line for one in unused[:_SHOWN_MAX] for line in _told(one, interactions, use)]
        if len(unused) > _SHOWN_MAX:
            lines.append(f"    ... and {len(unused) - _SHOWN_MAX} more")
    if use.missing:
        lines.append(f"  {len(use.missing)} made and not recorded:")
        lines += [f"    {line}" for told in use.missing[:_SHOWN_MAX] for line in told.splitlines()]
    lines.append(
        '  How to fix: record what changed with mode="drift", or say `allow_unused=True` if only a part is to be used'
    )
    return "\n".join(lines)


def _told(one: Interaction, interactions: Sequence[Interaction], use: Use) -> list[str]:
    """An unused interaction, and what tells it from the nearest that is used."""
    said = " ".join(last_user_text_of(one.request).split())
    what = f"{said[:_TEXT_MAX]!r}" if said else one.request.path
    who = f" of agent {one.agent!r}, call {one.call}" if one.agent else ""
    model = f" to {model_asked(one.request)}" if model_asked(one.request) else ""
    lines = [f"    interaction {one.number}{who}: {one.request.method}{model}: {what}"]
    near = nearest(one.request, [each for each in interactions if each.number in use.used])
    if near is not None:
        shown = difference(one.request, near.request).splitlines()[:_SHOWN_MAX]
        lines.append(f"      from interaction {near.number}, which is used, it differs in:")
        lines += [f"        {line}" for line in shown]
    return lines
