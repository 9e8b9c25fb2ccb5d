"""Dates in headers and fields of answers."""

from __future__ import annotations

import datetime
from email.utils import format_datetime

import pytest

from harness.virtual.clocks import EPOCH_S
from harness.wire.dates import http_date, rfc3339

TIMES_S = [0.0, 1.0, 86_399.999999, 1e8 + 0.123456] + [
    second - less for second in (1.0, 59.0, 7200.0) for less in (1e-7, 4.8e-7, 5.2e-7, 1e-6)
]


@pytest.mark.parametrize("at_s", TIMES_S)
def test_date_is_that_of_the_second_after_rounding_to_microseconds(at_s: float) -> None:
    date = datetime.datetime.fromtimestamp(EPOCH_S + at_s, datetime.UTC)
    assert http_date(at_s) == format_datetime(date, usegmt=True)
    assert rfc3339(at_s) == date.isoformat(timespec="seconds").replace("+00:00", "Z")
