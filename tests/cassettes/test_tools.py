"""Tools that are recorded beside the model: a replay runs no side effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import CassetteError, load_cassette
from harness.errors import HarnessError
from harness.sim import Sim
from tests.cassettes import shop


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    shop.DONE.clear()


async def buy(item: str, count: int = 2) -> tuple[Any, str, int]:
    left = shop.Stock().left(item)
    return shop.price(item), await shop.order(item, count=count), left


def simulation(path: Path, mode: str) -> Sim:
    sim = Sim()
    sim.cassette(path, mode=mode)
    sim.tool("price", record=True, mutates=False, replaces="tests.cassettes.shop:price")
    sim.tool("order", record=True, mutates=True, replaces="tests.cassettes.shop:order")
    sim.tool("left", record=True, mutates=False, replaces="tests.cassettes.shop:Stock.left")
    return sim


def test_a_replay_gives_the_recorded_results_and_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    first = simulation(path, "once").run(buy, "lamp")
    assert first.output == ({"usd": 9.5}, "ordered 2 lamp", 3)
    assert shop.DONE == ["left lamp", "price lamp", "order 2 lamp"]
    shop.DONE.clear()
    again = simulation(path, "once").run(buy, "lamp")
    assert again.output == first.output
    assert shop.DONE == []
    assert again.latency_s == pytest.approx(first.latency_s, abs=1e-9)
    assert [one.request.path for one in load_cassette(path).interactions] == [
        "/left",
        "/price",
        "/order",
    ]


def test_one_that_only_reads_runs_where_it_is_new_and_one_that_changes_something_never(
    tmp_path: Path,
) -> None:
    path = tmp_path / "shop.yaml"
    simulation(path, "all").run(buy, "lamp")
    shop.DONE.clear()
    with pytest.raises(CassetteError, match="never runs beside a replay"):
        simulation(path, "new").run(buy, "chair")
    assert shop.DONE == ["left chair", "price chair"]


def test_what_is_not_recorded_is_told_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    simulation(path, "all").run(buy, "lamp")
    with pytest.raises(CassetteError) as caught:
        simulation(path, "none").run(buy, "lamp", 3)
    assert "- kwargs.count: 2" in str(caught.value)
    assert "+ kwargs.count: 3" in str(caught.value)


def test_a_recorded_error_is_raised_again(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    for mode in ("all", "none"):
        with pytest.raises(KeyError, match="nothing"):
            simulation(path, mode).run(ask_price)


def ask_price() -> Any:  # noqa: ANN401 - of the shop
    return shop.price("nothing")


def test_a_result_that_no_file_can_hold_is_told(tmp_path: Path) -> None:
    sim = Sim()
    sim.cassette(tmp_path / "shop.yaml", mode="all")
    sim.tool("odd", record=True, replaces="tests.cassettes.shop:unwritable")
    with pytest.raises(HarnessError, match="gave a value of type object"):
        sim.run(give)


def give() -> object:
    given = shop.unwritable()
    return [given]


def test_wrong_settings_are_told(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="replaces no function"):
        Sim().tool("x", record=True)  # type: ignore[call-overload]  # wrong on purpose
    sim = Sim()
    sim.tool("price", record=True, replaces="tests.cassettes.shop:price")
    with pytest.raises(HarnessError, match="there is no cassette"):
        sim.run(ask_price)
