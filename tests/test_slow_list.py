"""The list of slow tests, `slow.txt`, names tests that there are; the conftest at the top reads it."""

from __future__ import annotations

import re
from pathlib import Path

HOUSE = Path(__file__).parents[1]


def test_listed_tests_exist() -> None:
    listed = (HOUSE / "tests" / "slow.txt").read_text(encoding="utf-8").split()
    assert listed == sorted(set(listed))
    gone = [
        test
        for test in listed
        for file, _, name in [test.partition("::")]
        if not (HOUSE / file).exists()
        or not re.search(rf"\bdef {name}\(", (HOUSE / file).read_text(encoding="utf-8"))
    ]
    assert gone == []
