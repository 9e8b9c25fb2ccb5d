"""Unused descriptions in a test: agents never called, processes never run, faults that never applied."""

from __future__ import annotations

from collections.abc import Sequence, Set

from harness.errors import HarnessError, did_you_mean
from harness.faults import FAULT_NAMES, InjectedFault
from harness.models.replies import Replies
from harness.run.commands import SimProcess
from harness.sim.program_run import ProgramRun
from harness.spans import TOOL
from harness.wire.routing import AgentRule


def check_all_needed(
    runs: Sequence[ProgramRun],
    roles: Sequence[AgentRule],
    may_be_unused: Set[str],
    processes: Sequence[SimProcess],
    faults: Sequence[InjectedFault],
    met: Set[int],
    tools: Sequence[str],
) -> None:
    """Complain about what was not needed: agents, replies, processes, faults.

    Args:
        runs: All runs of a test.
        roles: The agents that the test described.
        may_be_unused: Those of whom it is fine.
        processes: The commands that the test described.
        faults: The faults that the test described.
        met: The faults, by number, that met an attempt, or of which it is fine if not.
        tools: The tools and commands that the test described.

    Raises:
        HarnessError: Names each, with the switch that allows it.
    """
    __tracebackhide__ = True
    if not runs:
        raise HarnessError(
            "nothing was run, so nothing was tested\n  How to fix: call `sim.run(...)`, or make the test async"
        )
    called = {call.agent for run in runs for call in run.all_calls}
    agents = sorted({*called, *(role.name for role in roles)})
    tools = sorted({*tools, *(name for run in runs for name in _tools_used(run))})
    broken_off = any(run.error is not None for run in runs)
    problems = [
        problem
        for role in roles
        if role.name not in may_be_unused
        and not broken_off  # a program that raised has not come to all that it would do
        and (problem := _unused(role, called)) is not None
    ]
    problems += [
        f"process {process.command!r} was never run"
        for process in processes
        if not (process.uses or process.allow_unused or broken_off)
    ]
    problems += [
        f"fault {number} ({FAULT_NAMES[type(fault)]}) never met {fault.meets_what}{_unknown_name(fault, agents, tools)}"
        for number, fault in enumerate(faults, 1)
        if number not in met and not fault.allow_unmet
    ]
    if problems:
        raise HarnessError(
            "\n".join(problems)
            + "\n  How to fix: take them out, or say `allow_unused=True` of the agent or process, `allow_unmet=True` of the fault."
        )


def _tools_used(run: ProgramRun) -> set[str]:
    columns = run.spans_table.rows("kind", "name")
    return {name for kind, name in columns if kind == TOOL}


def _unused(role: AgentRule, called: Set[str]) -> str | None:
    if role.name not in called:
        return f"agent {role.name!r} was never called (the calls were of: {', '.join(sorted(called)) or 'no agent'})"
    if isinstance(role.content, Replies) and role.content.unused:
        return f"{role.content.unused} of the replies of agent {role.name!r} were never asked for"
    return None


def _unknown_name(fault: InjectedFault, agents: Sequence[str], tools: Sequence[str]) -> str:
    """What a fault names that was not there, if anything."""
    for what, names, known in (
        ("agent", (fault.agent, *fault.agents), agents),
        ("tool", (getattr(fault, "tool", None),), tools),
    ):
        for name in names:
            if name is not None and name not in known:
                return f": there is no {what} {name!r}{did_you_mean(name, known)}"
    return ""
