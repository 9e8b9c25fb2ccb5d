"""Section: the verdict in words. It comes first."""

from __future__ import annotations

from harness.metrics.because import because
from harness.report.blocks import Block, Column, DataTable, Section, Tone, Words
from harness.report.contents import Contents, Side
from harness.report.judgement import Judged
from harness.report.palette import WORDS
from harness.store import series
from harness.store.asking import Row
from harness.units import render

Sentence = tuple[Tone, str]


def section(contents: Contents) -> Section:
    """The verdict: of the comparison if there is one, otherwise of the budgets and of what the tasks came to."""
    if contents.judgement is not None:
        return _of_comparison(contents)
    sentences = [*_of_tasks(contents), *_of_budgets(contents), *_of_findings(contents)]
    tones = {tone for tone, _ in sentences}
    tone: Tone = "bad" if "bad" in tones else "unsure" if "unsure" in tones else "good"
    title = {"bad": "Not good", "unsure": "Look closer", "good": "Good"}[tone]
    return Section(
        key="verdict",
        title=title,
        lead=_about(contents),
        blocks=[Words(sentences=sentences)],
        tone=tone,
    )


def _about(contents: Contents) -> str:
    side = contents.side
    runs = "1 run" if len(side.runs) == 1 else f"{len(side.runs)} runs"
    tasks = "1 task" if side.measured_tasks == 1 else f"{side.measured_tasks:,} tasks"
    return f"{contents.scenario}: {runs}, {tasks} measured."


def _of_tasks(contents: Contents) -> list[Sentence]:
    side = contents.side
    rate = side.totals.get("success_rate")
    if not side.measured_tasks or rate is None:
        return [("unsure", "No task was measured, so nothing was tested.")]
    found: list[Sentence] = []
    ended = round(rate * side.measured_tasks)
    if not (side.totals.get("calls_mean") or side.totals.get("tool_uses_mean")):
        found.append(("unsure", "No call was made and no tool used, so nothing was tested."))
        if ended == side.measured_tasks:
            return found
    failed = side.measured_tasks - ended
    if failed:
        tone: Tone = "unsure" if ended else "bad"
        found.append(
            (
                tone,
                f"{failed:,} of {side.measured_tasks:,} tasks did not end well ({render('failed_rate', 1 - rate)}).",
            )
        )
    else:
        found.append(
            (
                "good",
                f"All {side.measured_tasks:,} tasks ended well."
                if ended > 1
                else "The task ended well.",
            )
        )
    cut = sum(row["status"] == "horizon" for row in side.runs)
    if cut:
        found.append(
            ("unsure", f"{cut} of {len(side.runs)} runs reached their horizon with tasks left.")
        )
    return found


_BOUNDS = {
    "below": lambda value, limit: value < limit,
    "at_most": lambda value, limit: value <= limit,
    "above": lambda value, limit: value > limit,
    "at_least": lambda value, limit: value >= limit,
}


def _of_budgets(contents: Contents) -> list[Sentence]:
    side = contents.side
    return [
        _held(side, row, side.totals.get(row["metric"]))
        for row in series.bounds(side.store, side.run_ids, "budgets")
    ]


def _held(side: Side, row: Row, value: float | None) -> Sentence:
    metric = row["metric"]
    limit = f"{row['bound'].replace('_', ' ')} {render(metric, row['value'])}"
    pooled = " over all tasks" if len(side.runs) > 1 else ""
    if value is None:
        return "bad", f"The budget {metric} {limit} does not hold: it was not measured."
    if _BOUNDS[row["bound"]](value, row["value"]):
        return "good", f"The budget {metric} {limit} holds: it is {render(metric, value)}{pooled}."
    warmup_tasks = side.runs[0]["warmup_tasks"]
    why = because(list(side.spans.values()), metric, warmup_tasks=warmup_tasks)
    text = f"The budget {metric} {limit} does not hold: it is {render(metric, value)}{pooled}."
    return "bad", f"{text} {why}".rstrip()


def _of_findings(contents: Contents) -> list[Sentence]:
    return [
        (
            "unsure",
            f"{finding.agent}: {finding.message}." if finding.agent else f"{finding.message}.",
        )
        for finding, _ in contents.side.findings
        if finding.severity == "serious"
    ]


_TITLES = {
    "pass": "No worse than before",
    "fail": "Worse than allowed",
    "inconclusive": "Undecided",
    "nothing to compare with": "Nothing to compare with",
}


def _of_comparison(contents: Contents) -> Section:
    judgement = contents.judgement
    assert judgement is not None, "there is a comparison"
    sentences: list[Sentence] = [(it.tone, it.sentence) for it in judgement.metrics]
    broken = [it for it in _of_budgets(contents) if it[0] == "bad"]
    sentences += broken
    sentences += [("unsure", note) for note in judgement.notes]
    whys = [block for it in judgement.metrics if it.why for block in _why(it)]
    return Section(
        key="verdict",
        title=_TITLES[judgement.verdict] + (", and a budget does not hold" if broken else ""),
        lead=judgement.headline,
        blocks=[Words(sentences=sentences), *whys, Words(sentences=[("", judgement.advice)])],
        tone="bad" if broken else judgement.tone,
    )


def _why(it: Judged) -> list[Block]:
    """The reason of a change: a sentence, and what it consists of."""
    sentence = Words(sentences=[("", f"{it.metric}: {it.why}")])
    if not it.causes:
        return [sentence]
    rows = [
        (
            cause.agent or "-", WORDS.get(cause.kind, cause.kind), cause.name or "-", cause.base, cause.candidate,
            cause.candidate - cause.base,
        )
        for cause in it.causes
    ]  # fmt: skip
    columns = (
        Column("agent"), Column("of which"), Column("model or tool"), Column("base", it.metric), Column("now", it.metric),
        Column("change", it.metric),
    )  # fmt: skip
    return [sentence, DataTable(caption=f"{it.metric}: what changed", columns=columns, rows=rows)]
