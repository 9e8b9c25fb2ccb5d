"""How numbers are written."""

from __future__ import annotations

import pytest

from harness.units import render, whole_microseconds


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("latency_s_mean", 0.0, "0 s"),
        ("latency_s_mean", 0.000123, "0.123 ms"),
        ("latency_s_mean", 0.05, "50 ms"),
        ("latency_s_mean", 0.8504, "850 ms"),
        ("latency_s_mean", 0.9994, "999 ms"),
        ("latency_s_mean", 0.9996, "1 s"),
        ("latency_s_mean", 1.0, "1 s"),
        ("latency_s_mean", 1.2345, "1.23 s"),
        ("latency_s_p95", 41.2345, "41.2 s"),
        ("latency_s_p95", 119.0, "119 s"),
        ("latency_s_p95", 125.4, "2 min 5 s"),
        ("latency_s_max", 3600.0, "60 min 0 s"),
        ("latency_s_max", 11_100.0, "3 h 5 min"),
        ("makespan_s_mean", 3_600_000.0, "1,000 h 0 min"),
        ("ttft_s_p50", -1.5, "-1.5 s"),
        ("ttft_s_p50", -300.0, "-5 min 0 s"),
        ("cost_usd_mean", 0.0, "$0.00"),
        ("cost_usd_mean", 0.004239, "$0.00424"),
        ("cost_usd_mean", 0.05, "$0.0500"),
        ("cost_usd_mean", 0.000011, "$0.0000110"),
        ("cost_usd_total", 1.0, "$1.00"),
        ("cost_usd_total", 12345.678, "$12,345.68"),
        ("wasted_usd", 0.5, "$0.500"),
        ("success_rate", 0.9876, "98.8%"),
        ("success_rate", 1.0, "100.0%"),
        ("work_share", 0.0, "0.0%"),
        ("utilisation", 0.8283, "82.8%"),
        ("quality_mean", 0.93, "93.0%"),
        ("throughput_per_s", 0.8, "0.8 /s"),
        ("throughput_per_s", 0.00115741, "0.00116 /s"),
        ("throughput_per_s", 99.96, "100 /s"),
        ("throughput_per_s", 1234.5, "1,234 /s"),
        ("requests_per_min", 2_000_000, "2,000,000 /min"),
        ("calls_mean", 2.0, "2"),
        ("calls_mean", 2.456, "2.46"),
        ("calls_mean", 0.0, "0"),
        ("input_tokens_mean", 99.5, "99.50"),
        ("input_tokens_mean", 1469.4, "1,469"),
        ("output_tokens_mean", 1_234_567.0, "1,234,567"),
        ("rate_limited", 12, "12"),
        ("retries", 1200, "1,200"),
    ],
)
def test_number_is_written_by_the_unit_in_its_name(name: str, value: float, text: str) -> None:
    assert render(name, value) == text


@pytest.mark.parametrize(
    ("duration_s", "rounded_s"),
    [
        (0.0, 0.0),
        (1 / 3, 0.333333),
        (2.0000004, 2.0),
        (2.0000006, 2.000001),
        (1e-9, 0.0),
        (7.0, 7.0),
        (0.5e-6, 0.0),  # half to even
        (1.5e-6, 2e-6),
        (2.5e-6, 2e-6),
        (-1.5e-6, -2e-6),
        (2.0**31 + 0.4e-6, 2.0**31),
        (4e9 + 0.1, 4e9 + 0.1),  # where floats are too coarse for the sum that rounds
        (1e300, 1e300),
    ],
)
def test_durations_are_rounded_to_whole_microseconds(duration_s: float, rounded_s: float) -> None:
    assert whole_microseconds(duration_s) == rounded_s
