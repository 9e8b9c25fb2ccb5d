"""Everything that docs/threads.md lists ends as the page says."""

from __future__ import annotations

import pytest

from harness.kernel import Kernel
from harness.virtual.world import run_program
from tests.isolation.way import Way
from tests.threads.page import PAGE, page
from tests.threads.ways import GROUPS

ALL = [
    pytest.param(way, id=f"{group}: {way.what}") for group, ways in GROUPS.items() for way in ways
]


@pytest.mark.parametrize("way", ALL)
def test_way_ends_as_the_page_says(way: Way) -> None:
    if way.needs:
        pytest.importorskip(way.needs)
    with way.prepare() as prepared:

        def program() -> object:
            return way.program(prepared)

        if way.outcome == "refused":
            with pytest.raises(way.raises) as caught:
                run_program(Kernel(), program, seed=1)
            assert way.names in str(caught.value)
        else:
            assert run_program(Kernel(), program, seed=1) is True


def test_page_lists_the_ways_that_are_tested() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: python -m tests.threads.page"
