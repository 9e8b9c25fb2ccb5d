"""The file of a fitted profile: YAML, read by people, and taken by scenarios as `latency: {profile: FILE}`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from harness.calibrate.goodness import CONFIDENCE, Interval
from harness.calibrate.model import Calibrated, Refusal
from harness.calibrate.rates import faults_of
from harness.chance.distributions import DISTRIBUTIONS, AnyDistribution, Constant
from harness.json_types import JsonObject
from harness.provider.latency import Latency

_HEAD = """\
# Latency profiles, fitted by `harness calibrate`. A scenario takes one as `latency: {profile: THIS FILE}`.
# `latency` and `output_tokens` are as a scenario may state them itself. Three numbers in brackets are a value and the interval in
# which the true one lies with a probability of %s. `faults` make as many calls fail as `errors` says, of `calls`: a scenario takes them
# as `faults: [{profile: THIS FILE}]`.
"""

_DIGITS = 6
"""Significant digits of fitted numbers."""


def profile_text(calibrated: Sequence[Calibrated], refused: Sequence[Refusal] = ()) -> str:
    """The file.

    Args:
        calibrated: What was fitted.
        refused: Calls that are too few to fit a latency; those that tell error rates are written with these alone.
    """
    entries = {(one.model, one.agent): _entry(one) for one in calibrated}
    entries |= {(it.model, it.agent): _rates(it.calls, it.errors) for it in refused if it.errors}
    models: JsonObject = {}
    for model, agent in sorted(entries):
        if agent:
            models[model].setdefault("agents", {})[agent] = entries[model, agent]
        else:
            models[model] = entries[model, agent]
    said = yaml.safe_dump(
        {"version": 1, "models": models},
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=120,
    )
    return _HEAD % f"{CONFIDENCE:.0%}" + said


def _entry(one: Calibrated) -> JsonObject:
    entry: JsonObject = {
        **_rates(one.calls, one.errors),
        "timed_calls": len(one.measured.tokens),
        "draws": "whole calls" if one.draws_whole_calls else "a fitted dependence",
        "latency": latency_as_data(one.latency),
        "output_tokens": distribution_as_data(one.output_tokens),
        "measured": {name: _interval(value) for name, value in one.quantities.items()},
        "fit": {
            "distance": _short(one.goodness.distance),
            "p_value": _short(one.goodness.p_value),
            "parameters": {name: _interval(value) for name, value in one.intervals.items()},
        },
    }
    if one.notes:
        entry["notes"] = one.notes
    return entry


def _rates(calls: int, errors: Mapping[str, Interval]) -> JsonObject:
    """How many calls there were, and how often they failed; `faults` make as many fail."""
    said: JsonObject = {
        "calls": calls,
        "errors": {kind: _interval(share) for kind, share in errors.items()},
    }
    return {**said, "faults": faults_of(errors)}


def latency_as_data(latency: Latency) -> JsonObject:
    """A latency profile as a scenario states it."""
    said: JsonObject = {}
    if latency.rows is not None:
        said["itl_s"] = distribution_as_data(latency.itl_s)
        said["rows"] = [list(row) for row in latency.rows]
        return said
    said["ttft_s"] = distribution_as_data(latency.ttft_s)
    said["itl_s"] = distribution_as_data(latency.itl_s)
    if latency.overhead_s:
        said["overhead_s"] = _short(latency.overhead_s)
    if latency.factor != Constant(1.0):
        said["factor"] = distribution_as_data(latency.factor)
    return said


def distribution_as_data(distribution: AnyDistribution) -> Any:  # noqa: ANN401 - plain data
    """A distribution as a scenario states it."""
    if isinstance(distribution, Constant):
        return _short(distribution.value)
    (name,) = (name for name, kind in DISTRIBUTIONS.items() if type(distribution) is kind)
    said = {
        field.name: value
        for field in dataclasses.fields(distribution)
        if (value := getattr(distribution, field.name)) is not None
    }
    return {
        name: {
            key: [_short(each) for each in value] if isinstance(value, tuple) else _short(value)
            for key, value in said.items()
        }
    }


def _interval(of: Interval) -> list[float]:
    return [_short(value) for value in of]


def _short(value: float) -> float:
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() else short
