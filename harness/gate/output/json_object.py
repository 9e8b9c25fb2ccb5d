"""One JSON object, with null for values that are unknown or not finite."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

from harness.gate.comparison import Comparison
from harness.gate.explanation import Explanation
from harness.gate.output.words import advice, why_lines
from harness.gate.samples import Samples
from harness.gate.verdict import GateResult, MetricResult
from harness.json_types import JsonObject


def as_json(result: GateResult) -> str:
    """Write the result of a gate as a JSON object; changes are ratios less one, or differences of shares."""
    found = {
        "scenario": result.candidate.scenario,
        "verdict": result.verdict,
        "passed": result.verdict == "pass",
        "exit_code": result.exit_code,
        "advice": advice(result),
        "baseline": None if result.base is None else _side(result.base),
        "candidate": _side(result.candidate),
        "metrics": {it.limit.metric: _metric(it) for it in result.metrics},
        "not_gated": {
            it.comparison.metric: {**_comparison(it.comparison), "p": it.p, "changed": it.changed}
            for it in result.explored
        },
        "budgets": [
            {
                "metric": it.metric,
                "value": _finite(it.value),
                "limit": it.limit.bounds(),
                "passed": it.passed,
                **({"why": it.why} if it.why else {}),
            }
            for it in result.budgets
        ],
        "notes": list(result.notes),
    }
    return json.dumps(found, indent=2, allow_nan=False) + "\n"


def _side(side: Samples) -> JsonObject:
    return {
        "label": side.label,
        "scenario": side.scenario,
        "scenario_hash": side.scenario_hash,
        "harness_version": side.harness_version,
        "prices_as_of": side.prices_as_of,
        "engine": side.engine,
        "python": side.python,
        "reason": side.reason,
        "seeds": list(side.seeds),
    }


def _metric(result: MetricResult) -> JsonObject:
    limit = result.limit
    return {
        "status": result.status,
        "level": limit.level,
        "failed": result.failed,
        "limit": {"change": limit.worst, "unit": limit.unit, "better": limit.better},
        **_comparison(result.comparison),
        "reason": result.reason,
        **_reasons(result.why),
        "why": why_lines(result),
    }


def _reasons(why: Explanation | None) -> JsonObject:
    """The reasons of a change, what it consists of, and the split of a cost; nothing if they are not known."""
    if why is None:
        return {"reasons": []}
    found: JsonObject = {
        "reasons": [{**asdict(it), "change": it.change} for it in why.reasons],
        "parts": [{**asdict(it), "change": it.change} for it in why.rows],
    }
    if why.split:
        found["split"] = [asdict(it) for it in why.split]
    return found


def _comparison(comparison: Comparison) -> JsonObject:
    change = comparison.change
    return {
        "baseline": _finite(comparison.base),
        "candidate": _finite(comparison.candidate),
        "change": None if change is None else _finite(change.value),
        "low": None if change is None else _finite(change.low),
        "high": None if change is None else _finite(change.high),
        "method": None if change is None else change.method,
        "seeds": comparison.seeds,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
