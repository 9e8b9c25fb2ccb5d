"""Section: origin of the report, and how to reproduce it."""

from __future__ import annotations

from harness.report.blocks import Column, DataTable, Section, Value
from harness.report.contents import Contents, Side

_COMMANDS_MAX = 3


def section(contents: Contents) -> Section:
    """The scenario, the versions, and the commands that run it again."""
    columns = [Column("what"), *(Column(name or "runs") for name, _ in contents.sides)]
    described = [_described(side) for _, side in contents.sides]
    rows: list[tuple[Value, ...]] = [
        (what, *(it[what] for it in described)) for what in described[0]
    ]
    return Section(
        key="origin",
        title="Where this comes from",
        lead="One seed, one execution: the command gives the same run again, anywhere.",
        blocks=[DataTable(caption="Origin", columns=tuple(columns), rows=rows)],
    )


def _described(side: Side) -> dict[str, str]:
    first, last = side.runs[0], side.runs[-1]
    seeds = [row["seed"] for row in side.runs]
    return {
        "scenario": first["scenario"],
        "file": first["source"] or "-",
        "digest of the scenario": first["scenario_hash"],
        "runs": _range([row["run_id"] for row in side.runs]),
        "seeds": _range(seeds),
        "engine": ", ".join(dict.fromkeys(row["engine"] or "-" for row in side.runs)),
        "harness": last["harness_version"],
        "commit": last["commit_id"] or "-",
        "to replay the last run": last["command"] or "-",
    }


def _range(numbers: list[int]) -> str:
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(map(str, numbers[:20])) + (", …" if len(numbers) > 20 else "")
