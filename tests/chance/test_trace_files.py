"""Recorded workloads as JSON lines, with times in other units and blocks of prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.chance import Draws
from harness.chance.arrivals import Arrival, Trace
from harness.errors import ScenarioError


def rows(folder: Path, name: str, content: str, **stated: Any) -> list[Arrival]:  # noqa: ANN401 - as the trace says
    file = folder / name
    file.write_text(content)
    return list(Trace(file=str(file), time="t", **stated).arrivals(Draws(1)))


def test_a_line_is_a_task(tmp_path: Path) -> None:
    content = '{"t": 2, "in": 7, "ids": [0, 5]}\n\n{"t": 1, "in": 3, "ids": [0], "more": {}}\n'
    found = rows(tmp_path, "a.jsonl", content, input_tokens="in", prefix_blocks="ids")
    assert found == [Arrival(0, 3, None, ("0",)), Arrival(1, 7, None, ("0", "5"))]


@pytest.mark.parametrize(("unit", "after_s"), [("s", 3000.0), ("ms", 3.0), ("us", 0.003)])
def test_numbers_have_a_unit(tmp_path: Path, unit: str, after_s: float) -> None:
    for name, content in (("a.jsonl", '{"t": 0}\n{"t": 3000}\n'), ("a.csv", "t\n0\n3000\n")):
        assert [row.at_s for row in rows(tmp_path, name, content, time_unit=unit)] == [0, after_s]


def test_timestamps_have_none(tmp_path: Path) -> None:
    content = '{"t": "2026-01-01T00:00:00"}\n{"t": "2026-01-01T00:00:05"}\n'
    assert [row.at_s for row in rows(tmp_path, "a.jsonl", content, time_unit="ms")] == [0, 5]


def test_blocks_in_csv_have_spaces_between_them(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "a.csv", "t,ids\n0,ab  cd 7\n", prefix_blocks="ids")
    assert row.prefix_blocks == ("ab", "cd", "7")


def test_a_bad_line_behind_the_limit_is_not_read(tmp_path: Path) -> None:
    assert len(rows(tmp_path, "a.jsonl", '{"t": 0}\n[\n', limit=1)) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"t": 0, "in": 1}\n{"t": 1\n', r"a\.jsonl:2: this line is not JSON"),
        ("[1]\n", r"a\.jsonl:1: a line must be an object"),
        ('{"time": 0}\n', r"a\.jsonl:1: no column 't'; the line has time"),
        ('{"t": 0, "in": 1}\n{"t": 1}\n', r"a\.jsonl:2: no column 'in'; the line has t"),
        ('{"t": null, "in": 1}\n', r"a\.jsonl:1: None is neither seconds nor an ISO timestamp"),
        ('{"t": [], "in": 1}\n', r"a\.jsonl:1: \[\] is neither seconds nor"),
        ('{"t": true, "in": 1}\n', r"a\.jsonl:1: True is not a finite time"),
        ('{"t": NaN, "in": 1}\n', r"a\.jsonl:1: nan is not a finite time"),
        ('{"t": 0, "in": 1.5}\n', r"a\.jsonl:1: in 1\.5 is not a whole number"),
        ('{"t": 0, "in": true}\n', r"a\.jsonl:1: in True is not a whole number"),
        ('{"t": 0, "in": -1}\n', r"a\.jsonl:1: in -1 is negative"),
        ('{"t": 0, "in": 1e999}\n', r"a\.jsonl:1: in inf is not a whole number"),
    ],
)
def test_a_wrong_line_is_refused_with_file_and_line(
    tmp_path: Path, content: str, said: str
) -> None:
    with pytest.raises(ScenarioError, match=said):
        rows(tmp_path, "a.jsonl", content, input_tokens="in")


@pytest.mark.parametrize("ids", ["3", "null", '{"a": 1}', "[[1]]", "[1.5]"])
def test_blocks_that_are_no_ids_are_refused(tmp_path: Path, ids: str) -> None:
    with pytest.raises(ScenarioError, match=r"a\.jsonl:1: ids .* is no list of ids"):
        rows(tmp_path, "a.jsonl", f'{{"t": 0, "ids": {ids}}}\n', prefix_blocks="ids")
