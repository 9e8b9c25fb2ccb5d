"""The shape of the house: sizes that a reader can take in, and imports that only go down."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
FILES = sorted((HOUSE / "harness").rglob("*.py"))

LINES_OF_A_FILE_MAX = 500
LINES_OF_A_FUNCTION_MAX = 60


def name_of(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def lines_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (ast.get_docstring(node, clean=False) or "").count("\n")


def test_files_can_be_taken_in() -> None:
    long = [name_of(it) for it in FILES if it.read_text("utf-8").count("\n") > LINES_OF_A_FILE_MAX]
    assert long == []


def test_functions_can_be_taken_in() -> None:
    long = [
        f"{name_of(file)}:{node.lineno} {node.name}"
        for file in FILES
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno - lines_of_docstring(node) >= LINES_OF_A_FUNCTION_MAX
    ]
    assert long == []


def test_files_begin_by_saying_what_they_are() -> None:
    silent = [name_of(it) for it in FILES if not ast.get_docstring(tree_of(it))]
    assert silent == []


def test_no_file_hides_what_its_package_gives() -> None:
    """A file called like a function that the package imports from elsewhere takes its place once it is imported itself."""
    hidden = [
        f"{package}.{name}"
        for file in FILES
        if file.name == "__init__.py"
        for package in [".".join(file.parent.relative_to(HOUSE).parts)]
        for node in tree_of(file).body
        if isinstance(node, ast.ImportFrom)
        for name in [alias.asname or alias.name for alias in node.names]
        # What comes out of the file of its own name stays: the file is imported already.
        if node.module not in ("__future__", package, f"{package}.{name}")
        and any([*file.parent.glob(f"{name}.py"), *file.parent.glob(f"{name}/__init__.py")])
    ]
    assert hidden == []


def test_imports_keep_to_the_contracts() -> None:
    """The layers and the owners of heavy packages, as pyproject.toml states them."""
    pytest.importorskip("importlinter")
    command = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
