"""The baseline file: the values of the gated metrics, seed by seed, made to be committed and read in a diff.

One line a seed; numbers are written so that they read back as the very same.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, Strict, ValidationError

from harness.errors import HarnessError
from harness.gate.kept import Kept, KeptWork
from harness.gate.samples import Sample, Samples
from harness.json_types import JsonObject
from harness.metrics.bills import BILLED, Bill
from harness.metrics.contributions import COUNTERS, NUMBERS, Key, Use

VERSION: Final = 3
"""Version 1 did not keep what metrics consist of, version 2 not how attempts failed. Counts the changes of the file's form; a later one is refused, because its numbers may mean something else."""

_MARK: Final = "harness_baseline"

_FIRST_REASON: Final = "first baseline"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


_OldUse = tuple[float, float, float, float, float, float, dict[str, int]]
"""The same in version 2: the first fields of `contributions.Use`, in their order, and the models."""


class _Use(_Part):
    """How an agent used its models for a task: `contributions.Use` without what is zero."""

    calls: float = 0
    attempts: float = 0
    replies: float = 0
    input_tokens: float = 0
    output_tokens: float = 0
    service_s: float = 0
    prefill_s: float = 0
    cache_read_tokens: float = 0
    cache_write_tokens: float = 0
    failed_calls: float = 0
    injected: float = 0
    models: dict[str, float] = {}
    endings: dict[str, float] = {}
    stands_in: dict[str, float] = {}
    unmade: dict[str, float] = {}
    tool_uses: dict[str, float] = {}
    bills: dict[
        str, Annotated[tuple[float, float, float, float, float, float], Strict(strict=False)]
    ] = {}
    """The fields of `bills.Bill`, in their order."""


class _Kept(_Part):
    """What a metric consists of."""

    parts: list[Annotated[tuple[str, str, str, float], Strict(strict=False)]]
    """Kind, agent, model or tool, and a task's share of it in the unit of the metric."""
    work_s: float
    uses: dict[str, _Use | Annotated[_OldUse, Strict(strict=False)]]
    tools: list[Annotated[tuple[str, str], Strict(strict=False)]] = []


class _Run(_Part):
    seed: Annotated[int, Ge(0)]
    tasks: Annotated[int, Ge(0)]
    failed: list[Annotated[int, Ge(1)]]
    metrics: dict[str, float]
    kept: dict[str, _Kept] = {}


class _File(_Part):
    harness_baseline: int
    scenario: str
    scenario_hash: str
    workload: str
    harness_version: str
    prices_as_of: str
    engine: str
    python: str
    reason: str
    runs: list[_Run]


def save_baseline(
    path: Path, samples: Samples, *, metrics: Collection[str], reason: str = ""
) -> Samples:
    """Write a baseline, whole or not at all.

    Args:
        path: The file; folders are made.
        samples: The runs.
        metrics: The gated metrics; others are left out, to keep the file small.
        reason: Why it is the baseline; needed when there is one already.

    Returns:
        What was written.

    Raises:
        HarnessError: There is a baseline and no reason to replace it, or a file of another kind; nothing was measured;
            or the file cannot be written.
    """
    check_target(path, reason)
    kept = replace(
        samples,
        reason=reason.strip() or _FIRST_REASON,
        label=str(path),
        runs=tuple(
            replace(
                one, metrics={name: one.metrics[name] for name in metrics if name in one.metrics}
            )
            for one in samples.runs
        ),
    )
    if not kept.names:
        raise HarnessError(
            f"no run measured any of {', '.join(metrics) or 'no metrics'}, so there is nothing to save"
        )
    _write(path, baseline_text(kept))
    return kept


def check_target(path: Path, reason: str) -> None:
    """Refuse to replace a baseline without a reason, or a file of another kind.

    Raises:
        HarnessError: There is one, and no reason; or it is none of ours.
    """
    if path.exists():
        before = read_baseline(path)
        if not reason.strip():
            raise HarnessError(
                f"there is a baseline {path} already, saved because: {before.reason}\n"
                "  How to fix: state the reason for the new one, with --reason TEXT"
            )


def read_baseline(path: Path) -> Samples:
    """Read a baseline.

    Raises:
        HarnessError: There is no such file, it was cut off, is none of ours, or of a newer harness.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise HarnessError(
            f"there is no baseline {path}\n  How to fix: harness baseline save SCENARIO -o {path}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(f"the baseline {path} cannot be read: {error}") from error
    return samples_from(text, str(path))


def baseline_text(samples: Samples) -> str:
    """The runs of a side as the text of a file; also how one process hands its runs to another."""
    head = {
        _MARK: VERSION,
        "scenario": samples.scenario,
        "scenario_hash": samples.scenario_hash,
        "workload": samples.workload,
        "harness_version": samples.harness_version,
        "prices_as_of": samples.prices_as_of,
        "engine": samples.engine,
        "python": samples.python,
        "reason": samples.reason,
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    runs = [
        {
            "seed": one.seed,
            "tasks": one.tasks,
            "failed": list(one.failed),
            "metrics": dict(one.metrics),
            **({"kept": kept_to_json(one.kept)} if one.kept else {}),
        }
        for one in samples.runs
    ]
    rows = ",\n".join(f"    {json.dumps(run, allow_nan=False)}" for run in runs)
    return "\n".join(["{", *lines, '  "runs": [', rows, "  ]", "}", ""])


def samples_from(text: str, name: str) -> Samples:
    """Read the text of a baseline.

    Args:
        text: The text.
        name: What to call it in messages, and in tables.

    Raises:
        HarnessError: It was cut off, is none of ours, or of a newer harness.
    """
    found = _checked(text, name)
    return Samples(
        **{key: getattr(found, key) for key in _File.model_fields if key not in (_MARK, "runs")},
        label=name,
        runs=tuple(
            Sample(
                seed=run.seed,
                metrics=run.metrics,
                tasks=run.tasks,
                failed=tuple(run.failed),
                kept={metric: _kept(it) for metric, it in run.kept.items()} or None,
            )
            for run in found.runs
        ),
    )


def kept_to_json(kept: Kept) -> JsonObject:
    """Convert the composition of a run's metrics to JSON data."""
    return {
        metric: {
            "parts": [[*key, amount] for key, amount in it.parts.items()],
            "work_s": it.work_s,
            "uses": {agent: _use_to_json(use) for agent, use in it.uses.items()},
            **({"tools": sorted(map(list, it.tools))} if it.tools else {}),
        }
        for metric, it in kept.items()
    }


def _use_to_json(use: Use) -> JsonObject:
    numbers = {name: getattr(use, name) for name in NUMBERS if getattr(use, name)}
    counters = {name: dict(getattr(use, name)) for name in COUNTERS if getattr(use, name)}
    bills = {model: [getattr(bill, name) for name in BILLED] for model, bill in use.bills.items()}
    return {**numbers, **counters, **({"bills": bills} if bills else {})}


def kept_from_json(data: Any) -> Kept:  # noqa: ANN401 - anything that is JSON
    """The same, read back."""
    return {metric: _kept(_Kept.model_validate(it)) for metric, it in data.items()}


def _kept(found: _Kept) -> KeptWork:
    return KeptWork(
        parts={Key(kind, agent, name): amount for kind, agent, name, amount in found.parts},
        work_s=found.work_s,
        uses={agent: _use(use) for agent, use in found.uses.items()},
        tools=frozenset(found.tools),
    )


def _use(found: _Use | _OldUse) -> Use:
    if isinstance(found, tuple):
        old = dict(zip(NUMBERS, found[:-1], strict=False))
        return Use(**old, models=Counter(found[-1]))  # type: ignore[arg-type] # numbers but for the last
    use = Use(**{name: getattr(found, name) for name in NUMBERS})
    for name in COUNTERS:
        setattr(use, name, Counter(getattr(found, name)))
    use.bills = {model: Bill(*bill) for model, bill in found.bills.items()}
    return use


def _checked(text: str, name: str) -> _File:
    mend = "\n  How to fix: restore it from git, or save it again with `harness baseline save`"
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = (
            "it has merge conflict markers" if "<<<<<<<" in text else f"it may be cut off: {error}"
        )
        raise HarnessError(f"the baseline {name} is not JSON; {why}{mend}") from error
    if not isinstance(data, dict) or not isinstance(data.get(_MARK), int):
        raise HarnessError(
            f"{name} is not a baseline of harness: it has no {_MARK!r}\n  How to fix: name another file"
        )
    if data[_MARK] > VERSION:
        raise HarnessError(
            f"the baseline {name} was saved by a newer harness: it has version {data[_MARK]}, "
            f"and this harness knows versions up to {VERSION}\n"
            "  How to fix: update harness (pip install -U multiagent-harness), or save it again"
        )
    try:
        found = _File.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise HarnessError(
            f"the baseline {name} is damaged: {place}: {first['msg']}{mend}"
        ) from None
    if not found.runs:
        raise HarnessError(f"the baseline {name} holds no runs{mend}")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".harness-", dir=path.parent) as elsewhere:
            draft = Path(elsewhere, "baseline.json")
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
    except OSError as error:
        raise HarnessError(
            f"cannot write the baseline {path}: {error.strerror or error}\n"
            "  How to fix: name a file in a folder that you may write to"
        ) from error
