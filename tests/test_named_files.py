"""Files that documentation and docstrings name are there, and the ladder of floors is the one that is checked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]

OF_USERS = {
    "main.py",
    "app.py",
    "my_app.py",
    "other.py",
    "conftest.py",
    "test_app.py",
    "panel.py",
    "pricing.py",
}
"""Files of a user's project that pages speak of."""

FOLDERS = ("harness", "tests", "examples", "benchmarks", "docs")

PAGES = [
    *(HOUSE / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(
        file
        for folder in FOLDERS
        for file in (HOUSE / folder).rglob("*")
        if file.suffix in (".py", ".md") and not {".venv", "node_modules"}.intersection(file.parts)
    ),
]
NAMED = re.compile(r"`(?:\.\./)?([\w./*-]+\.py)`")


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return [
        file.relative_to(HOUSE)
        for place in (HOUSE, *(HOUSE / folder for folder in (*FOLDERS, "scenarios", "stubs")))
        for file in (place.iterdir() if place == HOUSE else place.rglob("*"))
        if file.is_file()
    ]


def test_files_that_are_named_exist(files: list[Path]) -> None:
    names = {file.name for file in files}
    named = {
        (page.relative_to(HOUSE).as_posix(), name)
        for page in PAGES
        for name in NAMED.findall(page.read_text(encoding="utf-8"))
        if name not in OF_USERS
    }
    assert len(named) > 100
    gone = [
        (page, name)
        for page, name in sorted(named)
        if ("*" in name or "/" in name or name not in names)
        and not any(file.match(name) for file in files)
    ]
    assert gone == []


def test_ladder_in_the_docs_is_the_one_that_is_checked() -> None:
    config = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (layers,) = (it["layers"] for it in contracts if it["type"] == "layers")
    page = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    ladder = page.partition("## Layers")[2].partition("| folder |")[0]
    assert [line[4:] for line in ladder.splitlines() if line.startswith("    ")] == layers


def test_table_of_folders_names_every_floor() -> None:
    page = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("| folder |")[2].partition("Rules beside the ladder")[0]
    shown = set(
        re.findall(
            r"`([\w.]+)/?`",
            "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `")),
        )
    )
    there = {
        it.name
        for it in (HOUSE / "harness").iterdir()
        if (it.is_dir() or it.suffix == ".py") and not it.name.startswith("__")
    }
    assert there - shown == set()
