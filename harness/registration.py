"""Registration of user-defined faults and patterns for scenario files.

The scenario loader builds its checks of a file once. `registered` tells it when they are out of date.
"""

from __future__ import annotations

import re
from typing import Any

from harness.errors import HarnessError

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_count = 0


def registered() -> int:
    """Return how often something was registered in this process."""
    return _count


def changed() -> None:
    """Note that what a scenario file knows has changed in another way, such as for one file."""
    global _count  # noqa: PLW0603 - as below
    _count += 1


def register(members: dict[str, Any], name: str, kind: Any, *, what: str, method: str) -> None:  # noqa: ANN401 - to be looked at
    """Add a kind to those that a scenario file knows.

    Args:
        members: The kinds, by name.
        name: The name in a scenario file.
        kind: A frozen dataclass whose fields are the parameters.
        what: What it is, for messages: `fault` or `pattern`.
        method: The method that it must have.

    Raises:
        HarnessError: The name is taken or no name, or the class is not of that kind.
    """
    global _count  # noqa: PLW0603 - classes are of the whole process, as modules are
    if not _NAME.fullmatch(name):
        raise HarnessError(f"register_{what}: a name is of a-z, 0-9 and _ (got {name!r})")
    own = vars(kind) if isinstance(kind, type) else {}
    parameters = own.get("__dataclass_params__")  # those of a class above say nothing of its fields
    if parameters is None or not parameters.frozen:
        raise HarnessError(
            f"register_{what}({name!r}): {kind!r} is not a frozen dataclass\n"
            "  How to fix: put `@dataclass(frozen=True, slots=True, kw_only=True)` above the class"
        )
    if not callable(getattr(kind, method, None)):
        raise HarnessError(f"register_{what}({name!r}): {kind.__name__} has no method `{method}`")
    known = members.get(name)
    if known is kind:
        return
    if known is not None and _full_name(known) != _full_name(
        kind
    ):  # else its module was imported anew
        raise HarnessError(f"register_{what}: the name {name!r} is taken by {_full_name(known)}")
    members[name] = kind
    _count += 1


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
