"""Every way out of a run that docs/isolation.md lists ends as the page says."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from harness.sim import Sim
from tests.isolation.page import GROUPS, PAGE, page
from tests.isolation.way import Way

ALL = [
    pytest.param(way, id=f"{group}: {way.what}") for group, ways in GROUPS.items() for way in ways
]

# What is refused is not always closed, and is collected in no particular order.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True, scope="module")
def collected() -> Iterator[None]:
    """What these tests leave is not yet another's."""
    yield
    gc.collect()


@pytest.mark.parametrize("way", ALL)
def test_way_ends_as_the_page_says(way: Way) -> None:
    if way.needs:
        pytest.importorskip(way.needs)
    with way.prepare() as prepared:
        sim = Sim(seed=1)
        # Clients that were used before have a real server for their base URL.
        sim.provider("anthropic", hosts=["127.0.0.1"])
        sim.provider("openai", hosts=["localhost"])
        if way.outcome == "refused":
            with pytest.raises(way.raises) as caught:
                sim.run(way.program, prepared)
            assert way.names in str(caught.value)
        else:
            assert sim.run(way.program, prepared).output is True


@pytest.mark.parametrize("way", [way for ways in GROUPS.values() for way in ways])
def test_leak_is_explained(way: Way) -> None:
    assert way.consequence or way.outcome != "real"


def test_page_lists_the_ways_that_are_tested() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: make docs"
