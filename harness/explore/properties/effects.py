"""No effect is done twice that the passing run does once."""

from __future__ import annotations

from collections import Counter

from harness.explore.deviation import ToolTwice
from harness.explore.properties.api import Context, Failure
from harness.metrics.program_rules import may_be_repeated


def repeated_effect(context: Context) -> Failure | None:
    """A use of a tool with the same arguments that is repeated under the deviations."""
    before, now = Counter(context.passing.effects), Counter(context.now.effects)
    twice = Counter(
        use.tool for use in context.now.uses if ToolTwice(use.key) in context.now.applied
    )
    in_all_before = Counter(tool for tool, _ in context.passing.effects)
    in_all_now = Counter(tool for tool, _ in context.now.effects)
    for (tool, arguments), times in now.items():
        if times < 2 or may_be_repeated(tool, arguments):
            continue
        if times > before[tool, arguments] and in_all_now[tool] - twice[tool] > in_all_before[tool]:
            often = "once" if before[tool, arguments] == 1 else f"{before[tool, arguments]} times"
            message = f"{tool}({arguments}) was done {times} times, and {often} in the passing run"
            return Failure("repeated_effect", message, "", tool)
    return None
