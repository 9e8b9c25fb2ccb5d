"""Faults of messages between the members of a pattern."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import MemberOfTeam, MessageFault, Passage
from harness.units import PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLost(MessageFault):
    """The message does not come. A recipient who gets nothing else does nothing, and the sender waits."""

    noticed_after_s: PositiveSeconds | None = None
    """After what time the sender gives up, as after a timeout [s]; absent means never."""

    def passage(self) -> Passage:
        """Lost."""
        return Passage(is_lost=True, noticed_after_s=self.noticed_after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelayed(MessageFault):
    """The message comes `by_s` later."""

    by_s: PositiveSeconds
    """How much later [s]."""

    def passage(self) -> Passage:
        """Late."""
        return Passage(late_s=self.by_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDuplicated(MessageFault):
    """The message comes twice, and the recipient works on both. The sender gets the answer to the first, once both are done."""

    def passage(self) -> Passage:
        """Twice."""
        return Passage(copies=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReordered(MessageFault):
    """The message comes after the next one to the same recipient."""

    within_s: PositiveSeconds = 60.0
    """It comes after this time if there is none [s]."""

    def passage(self) -> Passage:
        """Overtaken."""
        return Passage(overtaken_within_s=self.within_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMisdirected(MessageFault):
    """The message comes to another member, who works on it and answers in place of the recipient."""

    goes_to: MemberOfTeam
    """Who gets it."""

    def passage(self) -> Passage:
        """To somebody else."""
        return Passage(goes_to=self.goes_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVersion(MessageFault):
    """The message is of another version, as while a new version of its sender is rolled out (`probability` is its share).

    A recipient that does not state this version among its `versions` refuses it with `version_mismatch`.
    """

    version: str
    """The version."""

    def passage(self) -> Passage:
        """In another version."""
        return Passage(version=self.version)
