"""Tables fit the width of a terminal: names are shortened, columns left out or stacked, and no number is ever cut."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.columns import Column, Grid, shortened

WIDTHS = (30, 40, 60, 80, 100, 120, 500)


def printed(grid: Grid, width: int) -> str:
    out = Console(width=width, file=StringIO(), highlight=False)
    grid.print(out)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def grid_of(agents: list[str], numbers: int = 9) -> Grid:
    made = Grid(
        [Column("agent (per task)", "name"), *(Column(f"number {it}") for it in range(numbers))]
    )
    for row, agent in enumerate(agents):
        made.add(agent, *(f"{1000 * row + it:,}.{it} s" for it in range(numbers)))
    return made


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("agent", ["a", "security", "x" * 300, "模型測試" * 30, "two words " * 9])
def test_no_number_is_cut_and_no_line_is_too_long(width: int, agent: str) -> None:
    grid = grid_of([agent, agent + "2"])
    text = printed(grid, width)
    assert max(map(cell_len, text.splitlines())) <= width
    for row in grid.rows:
        for number in map(str, row[1:]):
            assert f" {number} " in text, f"{number} is not whole at {width} columns"


def test_what_fits_is_one_table_with_whole_names() -> None:
    text = printed(grid_of(["planner", "reviewer"], 3), 80)
    assert text.count("──") == text.count("──", text.index("──"))
    assert len([line for line in text.splitlines() if "─" in line]) == 1
    assert "…" not in text
    assert "planner" in text


def test_a_name_keeps_its_ends() -> None:
    assert shortened("security-reviewer-of-the-north-7", 13) == "securi…orth-7"
    assert shortened("short", 13) == "short"
    assert shortened(Text("security-reviewer", style="red"), 7) == Text("sec…wer", style="red")
    for width in range(1, 20):
        assert cell_len(str(shortened("模型測試模型測試模型測試", width))) <= width


def test_a_number_in_a_name_stays_whole_or_goes() -> None:
    for width in range(1, 30):
        for name in ("call 12345 (security-reviewer)", "agents.security.tokens=123456", "7" * 40):
            short = str(shortened(name, width))
            assert len(short) <= width
            assert set(re.findall(r"\d+", short)) <= set(re.findall(r"\d+", name))


def test_optional_columns_go_before_a_table_is_stacked_and_are_named() -> None:
    made = Grid(
        [Column("run"), Column("p95"), *(Column(it * 12, "key", optional=True) for it in "abc")]
    )
    made.add("1", "21.9 s", "a", "b", "c")
    text = printed(made, 30)
    assert "left out at this width: bbbbbbbbbbbb, cccccccccccc" in " ".join(text.split())
    assert "aaaaaaaaaaaa" in text
    assert "left out" not in printed(made, 80)


def test_stacked_tables_begin_with_the_same_names() -> None:
    text = printed(grid_of(["a-very-long-name-of-an-agent", "b"]), 60)
    rows = [line.split()[0] for line in text.splitlines() if line.startswith(" a-")]
    assert len(rows) > 1
    assert len(set(rows)) == 1


def test_words_are_folded_between_words() -> None:
    made = Grid([Column("metric", "key"), Column("value"), Column("status", "words")])
    made.add("latency_s_p95", "21.9 s", "not comparable (warn) 529")
    text = printed(made, 40)
    assert max(map(len, text.splitlines())) <= 40
    assert "529" in text.split()


def test_a_table_without_rows_is_its_head() -> None:
    assert "number 0" in printed(grid_of([], 1), 60)
