"""A network that falls apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MinLen

from harness.faults.api import MemberOfTeam, MessageFault, Passage
from harness.units import PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition(MessageFault):
    """Messages between members of different groups are lost; who is in none of them reaches everybody."""

    groups: Annotated[tuple[Annotated[tuple[MemberOfTeam, ...], MinLen(1)], ...], MinLen(2)]
    """The groups."""
    noticed_after_s: PositiveSeconds | None = None
    """After what time a sender gives up, as after a timeout [s]; absent means never."""

    def is_between(self, sender: str, recipient: str) -> bool:
        """Whether two members are in different groups."""
        if not MessageFault.is_between(self, sender, recipient):
            return False
        mine = [place for place, group in enumerate(self.groups) if sender in group]
        theirs = [place for place, group in enumerate(self.groups) if recipient in group]
        return bool(mine and theirs) and not set(mine) & set(theirs)

    def passage(self) -> Passage:
        """Lost."""
        return Passage(is_lost=True, noticed_after_s=self.noticed_after_s)
