"""What a fault does to the plan of an answer: which bytes are sent when, and how the connection ends."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest

from harness.errors import HarnessBug
from harness.faults.wire import WIRE_FAULTS
from harness.models.verdict import Break, Damage
from harness.provider import Refusal
from harness.wire.damage import FAILURES, PAGE, damaged, plan_of
from harness.wire.http import Connection, HttpRequest, HttpResponse, Part

FIRST_S, LAST_S = 10.0, 20.0
STREAM = [Part(b"%d\n\n" % number, number / 10) for number in range(11)]
TEXT = b"0123456789" * 2


class Wire:
    """A connection whose client has asked, and what reaches it at which time."""

    def __init__(self) -> None:
        self.connection = Connection("host", self._hear)
        self.requests: list[HttpRequest] = []
        self.connection.write(b"GET / HTTP/1.1\r\nHost: host\r\n\r\n")

    def _hear(self, connection: Connection, http: HttpRequest) -> None:
        self.requests.append(http)

    def play(self, broken: Break | None, body: Any) -> list[tuple[float, bytes]]:  # noqa: ANN401
        """The bytes that arrive, each with its time; heads and framing are left out."""
        response = HttpResponse(200, [("Content-Type", "text/plain")], body)
        if broken is None:
            steps = plan_of(response, FIRST_S, LAST_S)
        else:
            steps = damaged(broken, response, FIRST_S, LAST_S, _error, lambda _: b"broken off")
        arrived = []
        for at_s, do in steps:
            do(self.connection)
            data = self.connection.take(100_000)
            if data:
                arrived.append((at_s, data))
        return arrived


def _error(refusal: Refusal) -> HttpResponse:
    return HttpResponse(529, [], refusal.kind.encode())


def broken(damage: str, after: float = 0.5, for_s: float | None = None) -> Break:
    return Break(cast("Damage", damage), cast("Any", None), after, for_s)


def times(arrived: list[tuple[float, bytes]]) -> list[float]:
    return [at_s for at_s, _ in arrived]


def test_stream_is_spread_over_the_time_between_first_and_last_token() -> None:
    arrived = Wire().play(None, STREAM)
    assert arrived[0][0] == FIRST_S
    assert arrived[0][1].startswith(b"HTTP/1.1 200 OK\r\n")
    assert [at_s for at_s, data in arrived if b"\n\n" in data and b"HTTP" not in data] == [
        *[FIRST_S + number for number in range(11)]
    ]
    assert arrived[-1] == (LAST_S, b"0\r\n\r\n")


def test_answer_in_one_piece_comes_with_the_last_token() -> None:
    ((at_s, data),) = Wire().play(None, TEXT)
    assert at_s == LAST_S
    assert data.endswith(TEXT)


@pytest.mark.parametrize("after", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("damage", ["reset_midway", "truncated_json", "error_event", "cut"])
def test_stream_that_ends_early_never_sends_its_last_part(damage: str, after: float) -> None:
    arrived = Wire().play(broken(damage, after), STREAM)
    data = b"".join(data for _, data in arrived)
    assert b"10\n\n" not in data
    for number in range(10):
        assert (b"%d\n\n" % number in data) is (number / 10 <= after)


@pytest.mark.parametrize(
    ("damage", "failure", "stays_open"),
    [
        ("reset_midway", "reset", False),
        ("truncated_json", None, False),
        ("corrupt_chunk", None, False),
        ("error_event", None, True),
        ("cut", None, True),
        ("drip", None, True),
        ("duplicate_tool_ids", None, True),
    ],
)
def test_connection_after_the_damage(damage: str, failure: str | None, *, stays_open: bool) -> None:
    wire = Wire()
    wire.play(broken(damage), STREAM)
    assert wire.connection.failure == failure
    assert wire.connection.ended is not stays_open


def test_error_in_a_stream_is_its_last_part() -> None:
    arrived = Wire().play(broken("error_event"), STREAM)
    assert [data for at_s, data in arrived if at_s == 15.0][-2:] == [
        b"a\r\nbroken off\r\n",
        b"0\r\n\r\n",
    ]


def test_error_in_an_answer_in_one_piece_is_an_answer() -> None:
    ((_, data),) = Wire().play(broken("error_event"), TEXT)
    assert data.startswith(b"HTTP/1.1 529 Overloaded\r\n")
    assert data.endswith(b"overloaded_error")


@pytest.mark.parametrize("body", [TEXT, STREAM], ids=["whole", "stream"])
def test_body_of_an_error_comes_with_status_200(body: Any) -> None:  # noqa: ANN401
    ((_, data),) = Wire().play(broken("error_body"), body)
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert data.endswith(b"overloaded_error")


def test_stall_keeps_back_what_lies_beyond_its_share() -> None:
    arrived = Wire().play(broken("stall", 0.5, 100.0), STREAM)
    assert [at_s for at_s, data in arrived if b"\n\n" in data and b"HTTP" not in data] == [
        *[10.0, 11.0, 12.0, 13.0, 14.0, 15.0],
        *[116.0, 117.0, 118.0, 119.0, 120.0],
    ]
    assert arrived[-1] == (120.0, b"0\r\n\r\n")


@pytest.mark.parametrize(("for_s", "at_s"), [(100.0, 120.0), (None, math.inf)])
def test_stall_of_an_answer_in_one_piece_delays_it(for_s: float | None, at_s: float) -> None:
    assert times(Wire().play(broken("stall", 0.5, for_s), TEXT)) == [at_s]


def test_stall_meets_a_stream_that_comes_in_one_moment() -> None:
    """The share counts, not the time: a model may give all its tokens at once."""
    response = HttpResponse(200, [], STREAM)
    steps = list(damaged(broken("stall"), response, 1.0, 1.0, _error, lambda _: b""))
    assert [at_s for at_s, _ in steps] == [1.0] * 7 + [math.inf] * 6


@pytest.mark.parametrize("body", [TEXT, STREAM], ids=["whole", "stream"])
def test_drip_is_even_and_ends_with_the_answer(body: Any) -> None:  # noqa: ANN401
    arrived = Wire().play(broken("drip", for_s=30.0), body)
    gaps_s = [
        after - before for before, after in zip(times(arrived), times(arrived)[1:], strict=False)
    ]
    assert times(arrived)[-1] == LAST_S + 30.0
    assert all(len(data) < 30 for _, data in arrived[1:])
    evenly_s = (
        gaps_s if body is TEXT else gaps_s[:-1]
    )  # the end of a stream comes with its last piece
    assert len({round(gap_s, 9) for gap_s in evenly_s}) == 1


def test_whole_answer_that_is_cut_off_is_never_whole() -> None:
    for after in (0.0, 0.5, 1.0):
        data = b"".join(data for _, data in Wire().play(broken("truncated_json", after), TEXT))
        head, _, body = data.partition(b"\r\n\r\n")
        assert b"Content-Length: 20" in head
        assert body == TEXT[: min(int(20 * after), 19)]


def test_garbled_answer_is_whole_as_http() -> None:
    wire = Wire()
    data = b"".join(data for _, data in wire.play(broken("invalid_json"), TEXT))
    assert b"Content-Length: 10\r\n" in data
    assert data.endswith(b"\r\n\r\n0123456789")
    assert not wire.connection.ended


def test_what_is_not_compressed_says_that_it_is() -> None:
    ((at_s, data),) = Wire().play(broken("corrupt_gzip"), TEXT)
    assert at_s == LAST_S
    assert b"Content-Encoding: gzip\r\n" in data


def test_every_wire_fault_has_its_damage() -> None:
    """Three are no plans of an answer: there is no connection, it breaks before an answer, or a proxy answers."""
    damages = set()
    for fault in WIRE_FAULTS.values():
        verdict = fault().verdict()
        assert isinstance(verdict, Break)
        damages.add(verdict.damage)
        if verdict.damage in FAILURES or verdict.damage == "html":
            continue
        assert Wire().play(verdict, STREAM)
        assert Wire().play(verdict, TEXT)
    assert len(damages) == len(WIRE_FAULTS) == 17
    assert PAGE.status == 502


def test_damage_that_nobody_knows_is_a_bug() -> None:
    with pytest.raises(HarnessBug, match="no answer can have the damage 'html'"):
        Wire().play(broken("html"), STREAM)
