"""Ids and times follow from the run alone."""

from __future__ import annotations

from harness.trace.ids import EPOCH_NS, span_id_base, trace_id, unix_ns, whole_us_s
from harness.virtual.clocks import EPOCH_S


def test_ids_never_change() -> None:
    assert f"{trace_id('ab', 1, 1):032x}" == "9d46bbfeb36d4f40142d8562a746f968"
    assert f"{span_id_base('ab', 1):016x}" == "487221567e467565"


def test_ids_differ_by_scenario_seed_and_task() -> None:
    keys = [("ab", 1, 1), ("ab", 1, 2), ("ab", 2, 1), ("ac", 1, 1), ("ab", 11, 1), ("ab", 1, 11)]
    assert len({trace_id(*key) for key in keys}) == len(keys)
    assert span_id_base("ab", 1) != span_id_base("ab", 2) != span_id_base("ac", 1)


def test_span_ids_fit_into_eight_bytes_and_are_never_zero() -> None:
    for seed in range(1_000):
        assert 0 <= span_id_base("ab", seed) < 2**63


def test_virtual_time_begins_when_a_program_inside_a_run_believes_it_does() -> None:
    assert unix_ns(0.0) == EPOCH_NS == int(EPOCH_S) * 10**9
    assert unix_ns(1733.791324) == EPOCH_NS + 1_733_791_324_000
    assert unix_ns(86_399.999999) == EPOCH_NS + 86_399_999_999_000


def test_durations_are_rounded_as_python_rounds_them() -> None:
    for number in range(20_000):
        begin_s, took_s = number * 0.937_131, number % 977 * 1e-6
        assert whole_us_s((begin_s + took_s) - begin_s) == round((begin_s + took_s) - begin_s, 6)
    assert whole_us_s(1 / 3) == 0.333333
    assert whole_us_s(-0.0000017) == -0.000002
