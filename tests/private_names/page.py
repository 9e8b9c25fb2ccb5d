"""The tables of docs/private-names.md; `python -m tests.private_names.page` writes them again."""

from __future__ import annotations

from pathlib import Path

from harness.private_names import PACKAGES, Package

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "private-names.md"
_BEGIN, _END = "<!-- generated: harness/private_names.py -->", "<!-- end of the generated part -->"


def page(text: str) -> str:
    """The page with its generated part written again."""
    head, rest = text.split(_BEGIN)
    return f"{head}{_BEGIN}\n\n{''.join(map(_section, PACKAGES))}{_END}{rest.split(_END)[1]}"


def _section(package: Package) -> str:
    rows = "".join(f"- `{name}`\n" for name in package.names)
    return (
        f"## {package.name}: {package.use}\n\n"
        f"Supported: `{package.name}{package.supported}`. Guarded by `{package.guard}`.\n\n{rows}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
