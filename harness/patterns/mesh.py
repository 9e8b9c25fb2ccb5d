"""Peers write to one another without a leader, until no messages are left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.agents import Message
from harness.agents.reading import choice, fields
from harness.errors import did_you_mean
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import DecisionUnreadable, ask, beginning
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import all_of, joined
from harness.units import Count

QUESTION = (
    "Begin with done and your answer, or write to all, or to some with a line `to: NAME, NAME`."
)
ALL = ("", "all", "everybody", "everyone")
"""What the line `to` may say, or not be there at all, when all others are meant."""

_BETWEEN = re.compile(r"\s*(?:[,;&]|\band\b)\s*")


class Livelock(PatternError):  # noqa: N818 - names the condition
    """The peers still write to one another after the last round."""


class VersionMismatch(PatternError):  # noqa: N818 - names the condition
    """Two peers speak no common version of the protocol."""


class UnknownPeer(DecisionUnreadable):
    """A peer writes to an unknown name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """Round by round, every peer that has mail reads it and writes to the others, or is done."""

    peers: Annotated[tuple[MemberName, ...], MinLen(2)]
    """Who takes part; in the first round each has the task."""
    max_rounds: Count = 5
    """Most rounds."""
    versions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Versions of the protocol that a peer speaks, the one that it prefers first; absent means any. Two peers use the first of
    those of the one that is listed first which the other one speaks too."""
    on_mismatch: Literal["fail", "drop"] = "fail"
    """When two peers speak no common version: the task fails before the first call, or what they write to each other is
    lost."""
    spokesperson: MemberName | None = None
    """Who puts the answers of the peers together; absent means that they are only joined."""

    def __post_init__(self) -> None:
        if len(dict.fromkeys(self.peers)) < len(self.peers):
            raise ValueError("a peer is listed twice")
        for name in self.versions:
            if name not in self.peers:
                raise ValueError(
                    f"{name} has versions and is no peer{did_you_mean(name, self.peers)}"
                )

    async def run(self, task: Message, team: Team) -> Message:
        """Let the peers write until all mailboxes are empty.

        Returns:
            What each peer has said last, put together.

        Raises:
            Livelock: Somebody has mail after the last round.
            VersionMismatch: Two peers speak no common version.
            UnknownPeer: A peer writes to an unknown name.
        """
        spoken = self._negotiated()
        mail: dict[str, list[Message]] = {peer: [] for peer in self.peers}
        last: dict[str, Message] = {}
        speakers: Sequence[str] = self.peers
        for _ in range(self.max_rounds):
            question = ask(task, QUESTION)
            turns = [team[peer].handle(task, *mail[peer], question) for peer in speakers]
            replies = dict(zip(speakers, await all_of(turns), strict=True))
            last |= replies
            mail = {peer: [] for peer in self.peers}
            for peer, reply in replies.items():
                for recipient in self._recipients(peer, reply):
                    if (peer, recipient) in spoken:
                        version = spoken[peer, recipient]
                        letter = reply._replace(type="update", recipient=recipient, version=version)
                        mail[recipient].append(letter)
            speakers = [peer for peer in self.peers if mail[peer]]
            if not speakers:
                return await joined(
                    task, [last[peer] for peer in self.peers], team, self.spokesperson
                )
        raise Livelock(f"{', '.join(speakers)} still have mail after {self.max_rounds} rounds")

    def _recipients(self, peer: str, reply: Message) -> list[str]:
        """Who gets what a peer has said."""
        others = [other for other in self.peers if other != peer]
        if choice(reply.text, ["done"]) is not None:
            return []
        stated = fields(reply.text).get("to") or ""
        names = stated if isinstance(stated, list) else _BETWEEN.split(str(stated))
        plain = [str(name).strip(" @*\"'.").casefold() for name in names]
        if plain[0] in ALL:
            return others
        known = {other.casefold(): other for other in self.peers}
        for name in plain:
            if name not in known:
                raise UnknownPeer(f"{peer} writes to {beginning(name)!r}, who is not there")
        return [other for other in others if other.casefold() in plain]

    def _negotiated(self) -> Mapping[tuple[str, str], str]:
        """The version that each pair of peers uses, in both directions; without the pairs that have none."""
        spoken: dict[tuple[str, str], str] = {}
        for one, other in combinations(self.peers, 2):
            mine, theirs = self.versions.get(one), self.versions.get(other)
            common = [
                version
                for version in mine or theirs or ("",)
                if theirs is None or version in theirs
            ]
            if common:
                spoken[one, other] = spoken[other, one] = common[0]
            elif self.on_mismatch == "fail":
                raise VersionMismatch(
                    f"{one} speaks {', '.join(mine or ())}, {other} speaks {', '.join(theirs or ())}"
                )
        return spoken
