"""Damage to the bytes of an exchange.

A program that uses a provider through an SDK receives the damaged bytes. A pattern, which sees replies and no bytes,
gets the resulting error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.api import Alter, Break, Fail, Fault, InTurn, Late
from harness.models import MALFORMED_REPLY, ModelError, Reply
from harness.models.verdict import Damage, Silent
from harness.provider import Refusal
from harness.units import PositiveSeconds, Probability

_HTTP_OK = 200


def _lost(reply: Reply) -> Reply:
    """A reply that was generated, billed, and lost on its way."""
    raise ModelError(
        "connection_error", None, "peer closed connection without sending complete message body"
    )


def _unreadable(reply: Reply) -> Reply:
    raise ModelError(
        MALFORMED_REPLY, _HTTP_OK, f"the reply is not valid JSON: {reply.text[:20]!r}..."
    )


def _shortened(reply: Reply) -> Reply:
    return reply._replace(
        text=reply.text[: len(reply.text) // 2],
        tool_calls=(),
        truncated=True,
        correct=None if reply.correct is None else False,
    )


def _unchanged(reply: Reply) -> Reply:
    return reply


_NO_CONNECTION = Fail(Refusal("connection_error"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoAnswer(Fault):
    """No answer, because the connection fails or is closed."""

    damage: ClassVar[Damage]

    def verdict(self) -> Break:
        """An error of the operating system, without an answer."""
        return Break(self.damage, _NO_CONNECTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRefused(_NoAnswer):
    """The provider refuses the connection."""

    damage: ClassVar[Damage] = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReset(_NoAnswer):
    """The connection is reset before the answer begins."""

    damage: ClassVar[Damage] = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectTimeout(Fault):
    """The connection does not come about, and nobody says no, until the client's connect timeout is over."""

    for_s: PositiveSeconds = 5.0
    """That timeout [s]; 5 s is that of the SDKs of Anthropic and OpenAI."""

    def verdict(self) -> Break:
        """An error of the operating system, late."""
        return Break("timeout", InTurn((Silent(self.for_s), _NO_CONNECTION)), for_s=self.for_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFailure(_NoAnswer):
    """The provider's certificate has expired."""

    damage: ClassVar[Damage] = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFailure(_NoAnswer):
    """The provider's name is not found."""

    damage: ClassVar[Damage] = "dns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Fault):
    """A stream pauses in its middle, for `for_s` or until the client gives up; a whole answer comes late."""

    for_s: PositiveSeconds | None = None
    """How long nothing comes [s]."""
    after: Probability = 0.5
    """Share of the reply that comes before."""

    def verdict(self) -> Break:
        """Served, with a pause."""
        return Break("stall", Silent(self.for_s), self.after, self.for_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interrupted(Fault):
    """The answer is cut off."""

    after: Probability = 0.5
    """Share of the reply that arrives."""
    damage: ClassVar[Damage]

    def verdict(self) -> Break:
        """Served, and lost."""
        return Break(self.damage, Alter(_lost), self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetMidway(_Interrupted):
    """The connection is reset in the middle of the answer."""

    damage: ClassVar[Damage] = "reset_midway"


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedJson(_Interrupted):
    """The connection is closed in the middle of the answer."""

    damage: ClassVar[Damage] = "truncated_json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptChunk(_Interrupted):
    """The framing of the answer breaks in its middle."""

    damage: ClassVar[Damage] = "corrupt_chunk"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent(_Interrupted):
    """The provider becomes overloaded in the middle of a stream, and sends an error event; a whole answer is a 529."""

    damage: ClassVar[Damage] = "error_event"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutStream(Fault):
    """A stream ends early, as if it were complete; a whole answer is incomplete JSON."""

    after: Probability = 0.5
    """Share of the reply that arrives."""

    def verdict(self) -> Break:
        """Served in part, without a sign of it."""
        return Break("cut", Alter(_shortened), self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unreadable(Fault):
    """The answer arrives, but cannot be parsed."""

    damage: ClassVar[Damage]

    def verdict(self) -> Break:
        """Served, but useless."""
        return Break(self.damage, Alter(_unreadable))


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidJson(_Unreadable):
    """The answer is complete, but not JSON."""

    damage: ClassVar[Damage] = "invalid_json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptGzip(_Unreadable):
    """The answer is declared as compressed, but is not."""

    damage: ClassVar[Damage] = "corrupt_gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody(_Unreadable):
    """The answer has status 200 and the body of an error."""

    damage: ClassVar[Damage] = "error_body"


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlError(Fault):
    """A proxy answers with status 502 and a web page."""

    def verdict(self) -> Break:
        """Refused by a proxy."""
        return Break("html", Fail(Refusal("api_error")))


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateToolIds(Fault):
    """All tool calls of the reply have the same id."""

    def verdict(self) -> Break:
        """Served, but ambiguous; no effect where tool calls have no ids."""
        return Break("duplicate_tool_ids", Alter(_unchanged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip(Fault):
    """The answer comes a few bytes at a time, and takes `for_s` longer."""

    for_s: PositiveSeconds = 60.0
    """How much longer [s]."""

    def verdict(self) -> Break:
        """Served, slowly."""
        return Break("drip", Late(self.for_s), for_s=self.for_s)


WIRE_FAULTS: dict[str, type[Fault]] = {
    "refused": ConnectionRefused,
    "reset": ConnectionReset,
    "connect_timeout": ConnectTimeout,
    "tls_failure": TlsFailure,
    "dns_failure": DnsFailure,
    "stall": Stall,
    "reset_midway": ResetMidway,
    "truncated_json": TruncatedJson,
    "corrupt_chunk": CorruptChunk,
    "error_event": ErrorEvent,
    "cut_stream": CutStream,
    "invalid_json": InvalidJson,
    "corrupt_gzip": CorruptGzip,
    "error_body": ErrorBody,
    "html_error": HtmlError,
    "duplicate_tool_ids": DuplicateToolIds,
    "drip": Drip,
}
"""The name of each in a scenario file."""
