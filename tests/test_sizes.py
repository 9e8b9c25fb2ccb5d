"""Numbers about the code as a whole, and their bounds; run as a script, it prints them: `python -m tests.test_sizes`."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "harness"


class Number(NamedTuple):
    """A number about the code."""

    name: str
    value: float
    max: float


def trees() -> Iterator[tuple[int, ast.Module]]:
    """Of each file its lines and its syntax tree."""
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        yield source.count("\n"), ast.parse(source)


def quantile(values: list[int], share: float) -> int:
    """The smallest value that so many are not above."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def sizes() -> list[Number]:
    """Sizes of files and functions, and how much is not typed."""
    files, functions, untyped = list[int](), list[int](), 0
    for lines, tree in trees():
        files.append(lines)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append(lines_of(node))
            untyped += isinstance(node, ast.Name) and node.id == "Any"
    return [
        Number("lines of a file, median", quantile(files, 0.5), 110),
        Number("lines of a file, 90 %", quantile(files, 0.9), 250),
        Number("lines of a function, 95 %", quantile(functions, 0.95), 30),
        Number("`Any` per 1,000 lines", 1000 * untyped / sum(files), 10),
    ]


def circles() -> list[list[str]]:
    """Files that import one another, those for types alone included."""
    import grimp

    graph = grimp.build_graph("harness", cache_dir=None)
    imports = {it: graph.find_modules_directly_imported_by(it) for it in sorted(graph.modules)}
    reached = {it: reachable(imports, it) for it in imports}
    groups = {
        tuple(sorted(other for other in reached[it] if it in reached[other]))
        for it in imports
        if it in reached[it]
    }
    return [list(group) for group in sorted(groups)]


def reachable(imports: dict[str, set[str]], start: str) -> set[str]:
    found, left = set[str](), [start]
    while left:
        new = imports[left.pop()] - found
        found |= new
        left += new
    return found


def test_code_keeps_its_bounds() -> None:
    assert [number for number in sizes() if number.value > number.max] == []


def test_no_files_import_one_another() -> None:
    pytest.importorskip("grimp")
    assert circles() == []


def main() -> None:
    rows = [*sizes(), Number("import circles", len(circles()), 0)]
    for name, value, most in rows:
        sys.stdout.write(f"{name:<28}{value:>6g}   (at most {most:g})\n")
    sys.exit(any(value > most for _, value, most in rows))


if __name__ == "__main__":
    main()
