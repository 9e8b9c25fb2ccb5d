"""The user's own check of the output."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.explore.properties.api import Context, Failure, Property
from harness.explore.properties.errors import innermost_line

_VARIES = re.compile(r"\d+(\.\d+)?|'[^']*'|\"[^\"]*\"")
"""What differs between messages of one assertion."""

_GROUP_MAX = 60
_TEXT_MAX = 300


def checked(check: Callable[..., object]) -> Property:
    """The property that a check holds: it raises nothing and does not return False.

    A run that ended with an error has no output to be checked.
    """

    def holds(context: Context) -> Failure | None:
        if context.now.error is not None:
            return None
        try:
            answer = check(context.now.output)
        except Exception as error:  # noqa: BLE001 - whatever a check raises is its verdict
            lines = [line for line in str(error).strip().splitlines() if line] or [
                type(error).__name__
            ]
            group = _VARIES.sub("_", lines[0].partition(":")[0])[:_GROUP_MAX]
            return Failure(
                "check", lines[0][:_TEXT_MAX], innermost_line(error.__traceback__), group
            )
        if answer is False:
            return Failure("check", f"the check is False of {context.now.printed[:_TEXT_MAX]}")
        return None

    return holds
