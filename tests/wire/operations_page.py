"""Write docs/wire-operations.md: `python -m tests.wire.operations_page`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from harness.apis import APIS
from harness.wire.operations import Operation, Operations

PAGE = Path(__file__).parents[2] / "docs" / "wire-operations.md"

_HEAD = """# Operations of the APIs

Written by `python -m tests.wire.operations_page`; a test fails when an SDK has an operation that is not in these lists. An operation that
is not simulated raises `NotSimulated` with its name in a test, and is counted at the end of the session; `harness serve` answers it with 400.
What is in neither list is answered with 404, as by the real API.
"""


def page() -> str:
    """The page."""
    parts = [_HEAD]
    for api in APIS.values():
        module = import_module(api.operations)
        parts.append(f"\n## {api.name}\n")
        parts.append(_listed("Simulated", module.SIMULATED))
        parts.append(_listed("Refused by name", module.REFUSED))
    return "\n".join(parts)


def _listed(title: str, operations: Operations) -> str:
    by_path: dict[str, list[str]] = {}
    for one in sorted(operations, key=lambda it: (it.path, it.method)):
        by_path.setdefault(one.path, []).append(one.method)
    lines = [f"- `{' '.join(methods)} {path}`" for path, methods in by_path.items()]
    return "\n".join([f"### {title}", "", *lines, ""])


def operation(text: str) -> Operation:
    """An operation from its text, such as `GET /files`."""
    return Operation(*text.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
