"""The report of a failed simulated test: verdict, waits, last calls, and the replay command."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Deadlock, HarnessError
from harness.kernel.awaited import NEVER_RELEASED
from harness.kernel.deadlock_report import DIED
from harness.kernel.watcher import AGENTS
from harness.metrics.stood_out import stood_out
from harness.sim.call_view import CallView
from harness.sim.explain import path, refused
from harness.sim.observed_run import ObservedRun
from harness.sim.timeline import Timeline, lines
from harness.spans import CANCELLED, CASCADE, OK, STARVATION
from harness.units import render
from harness.virtual.own_modules import is_own_file

_CALLS_MAX = 8
"""How many lines of a timeline the report of a failed test has."""

_DETAILS_MAX = 10
"""How many lines follow the verdict."""

_TEXT_MAX = 240
"""How much of an error's text is shown [characters]."""

_CAUSES_MAX = 8
"""How many errors behind an error are looked at."""

_TOO_MANY_REQUESTS = 429

_CYCLE = "  cycle: "
"""How a report of stuck tasks begins the line that names the cycle."""


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """An assertion of a run that did not hold; the error carries it."""

    run: ObservedRun
    what: str
    """In one line."""
    details: tuple[str, ...] = ()


def check_of(error: BaseException | None) -> FailedCheck | None:
    """The assertion of a run that an error tells of; None if it tells of something else."""
    check = getattr(error, "failed_check", None)
    return check if isinstance(check, FailedCheck) else None


def tells_itself(error: BaseException | None) -> bool:
    """Whether the text of an error is one of ours, all of which stands in what is said of a failure."""
    return isinstance(error, HarnessError) or check_of(error) is not None


def describe(error: BaseException | None, last_run: ObservedRun | None, command: str) -> str:
    """Say why a test failed.

    Args:
        error: What it raised, if that is known.
        last_run: Its latest run; None if no run has ended.
        command: What runs it again; empty if nothing does.

    Returns:
        Lines, the verdict first.
    """
    check = check_of(error)
    run = check.run if check is not None else last_run
    told = list(_verdict(error, run))
    if run is None:
        told.append("No run has ended.")
    else:
        told += [line for line in refused(run) if not any(line in each for each in told)]
        told += _of_run(run)
    if command:
        told.append(f"To replay: {command}")
    return "\n".join(map(_from_here, told))


def _verdict(error: BaseException | None, run: ObservedRun | None) -> Iterator[str]:
    check = check_of(error)
    if error is None:
        yield "The test failed."
    elif check is not None:
        yield check.what
        yield from _cut([f"  {line}" for line in check.details])
    elif isinstance(error, Deadlock):
        yield from _deadlock(error)
    elif isinstance(error, HarnessError):
        first, *others = str(error).splitlines() or [""]
        yield first
        yield from _cut(others)
    elif isinstance(error, BaseExceptionGroup):
        yield from _verdict(error.exceptions[0], run)
        if len(error.exceptions) > 1:
            yield f"  and {len(error.exceptions) - 1} more in this {type(error).__name__}"
    else:
        reason = _reason(error, run)
        yield f"{type(error).__name__}: {reason}"
        yield from _causes(error, run, {reason})


def _deadlock(error: Deadlock) -> Iterator[str]:
    report = error.report.splitlines()
    agents = next((line for line in report if line.startswith(AGENTS)), "")
    cycle = next((line for line in report if line.startswith(_CYCLE)), "")
    forgotten = next((line for line in report if NEVER_RELEASED in line), "")
    died = next((line for line in report if f") {DIED} " in line), "")
    if agents:
        why = agents.removeprefix(AGENTS)
    elif cycle:
        why = _cycle_in_words(cycle.removeprefix(_CYCLE))
    elif forgotten:
        thing = forgotten.partition(" for ")[2].partition(",")[0]
        why = f"{thing} is held by a task that has ended"
    elif died:
        why = died.strip()
    else:
        why = "nothing can ever run again"
    yield f"Deadlock at {render('latency_s', error.now_s)}: {why}"
    yield from _cut([line for line in report if not line.startswith((AGENTS, _CYCLE))])


def _cycle_in_words(cycle: str) -> str:
    """A cycle, such as `Task-2 -> Task-3 -> Task-2`."""
    first, *others = cycle.split(" -> ")
    if others == [first]:
        return f"{first} waits for what only {first} itself can give"
    return f"tasks wait for one another, {cycle}"


def _reason(error: BaseException, run: ObservedRun | None) -> str:
    """Why an error was raised: by a call that failed, where a library says so; else in its own words."""
    if run is not None and (_is_library(error) or isinstance(error, TimeoutError)):
        storms = list(refused(run)) if _is_refusal(error) else []
        if storms:
            return "; ".join(storms)
        failed = [call for call in run.all_calls if _failed_at_the_end(call, run, error)]
        if failed:
            call = failed[-1]
            return f"call {call.ordinal} of {call.agent}: {Timeline(run).ended(call)}"
    text = (str(error).strip().splitlines() or ["(no message)"])[0]
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}..."


def _causes(error: BaseException, run: ObservedRun | None, told: set[str]) -> Iterator[str]:
    """The errors behind an error that say something new."""
    seen: list[BaseException] = [error]
    while len(seen) <= _CAUSES_MAX:
        last = seen[-1]
        words, before = "caused by", last.__cause__
        if before is None and not last.__suppress_context__:
            words, before = "raised after", last.__context__
        if before is None or before in seen:
            return
        seen.append(before)
        reason = _reason(before, run) if str(before).strip() else ""
        if reason and reason not in told:
            told.add(reason)
            yield f"  {words} {type(before).__name__}: {reason}"


def _failed_at_the_end(call: CallView, run: ObservedRun, error: BaseException) -> bool:
    """Whether a call failed at the very moment at which the program did; a timeout of the program's cancels it."""
    if call.reply is not None or not call.attempts or call.attempts[-1].end_s != run.latency_s:
        return False
    last = call.attempts[-1]
    if last.status == CANCELLED and last.ordinal not in call.timed_out:
        return isinstance(error, TimeoutError)
    return last.status != OK


def _is_refusal(error: BaseException | None) -> bool:
    return getattr(error, "status_code", None) == _TOO_MANY_REQUESTS


def _is_library(error: BaseException) -> bool:
    """Whether an error is of a library's own class, such as an SDK's."""
    file = getattr(sys.modules.get(type(error).__module__), "__file__", None)
    return file is not None and not is_own_file(file)


def _of_run(run: ObservedRun) -> Iterator[str]:
    if run.tasks and run.tasks not in str(run.error):
        others = run.tasks.splitlines()[1:]  # the first is the program, which raised the error
        yield from ["Other tasks when it failed:", *_cut(others)] if others else []
    for seen in stood_out(run.events_table):
        if seen.kind in {CASCADE, STARVATION}:  # the others are the verdict
            yield seen.line
    yield from list(path(run)) or ["The end waited for: no call had ended."]
    happened = lines(Timeline(run).summed(), _CALLS_MAX)
    if happened:
        yield "The last calls:"
        yield from (f"  {line}" for line in happened)
    yield f"Seed {run.seed}, virtual time {run.latency_s:.6f} s."


def _cut(told: Sequence[str]) -> Iterator[str]:
    """The first lines of a list, and how many more there are."""
    yield from told[:_DETAILS_MAX]
    left = len(told) - _DETAILS_MAX
    if left > 0:
        yield f"  ... and {left} more {'line' if left == 1 else 'lines'}"


def _from_here(line: str) -> str:
    """A line whose paths begin in the present folder."""
    try:
        return line.replace(f"{Path.cwd()}/", "")
    except OSError:  # the test has removed the folder
        return line
