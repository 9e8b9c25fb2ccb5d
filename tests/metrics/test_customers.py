"""Customers and priorities of kinds of tasks: what they flow through, and what they change."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from harness import Simulation
from harness.kernel import Kernel, run
from harness.metrics import CUSTOMER_METRICS
from harness.models import Reply, Request
from harness.resilience import with_bulkhead
from harness.spans import TASK, WAIT, SpanLog
from tests.patterns.simulated import rows
from tests.patterns.test_nested import scenario

KINDS = [
    {"kind": "gold", "customer": "acme", "priority": 2, "input_tokens": 10},
    {"kind": "plain", "customer": "zoo", "input_tokens": 10},
    {"kind": "anonymous", "input_tokens": 10},
]


def spec(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML values
    made = copy.deepcopy(scenario({"single": {"agent": "a"}}))
    made["workload"] = {"tasks": 30, "arrivals": {"at_s": [0.0] * 30}, "kinds": KINDS}
    return {**made, **more}


def test_task_spans_say_for_whom_they_are_and_how_much_they_matter() -> None:
    result = Simulation.from_spec(spec()).run(1)
    found = set(rows(result, TASK, "name", "customer", "priority"))
    assert found == {("gold", "acme", 2), ("plain", "zoo", -1), ("anonymous", "", -1)}
    others = {row[1:] for row in result.spans.rows("kind", "customer") if row[0] != TASK}
    assert others == {("",)}


def test_each_customer_has_metrics_over_all_runs() -> None:
    outcome = Simulation.from_spec(spec()).run_many(runs=3)
    assert list(outcome.customers) == ["acme", "zoo"]
    for mine in outcome.customers.values():
        assert list(mine) == list(CUSTOMER_METRICS)
        assert (mine["latency_s_mean"], mine["calls_mean"], mine["success_rate"]) == (1.0, 1.0, 1.0)
        assert mine["cost_usd_mean"] == pytest.approx(20e-6)
    measured = sum(mine["tasks"] for mine in outcome.customers.values())
    assert 0 < measured < outcome.tasks


def test_scenario_without_customers_has_no_such_metrics() -> None:
    made = spec()
    made["workload"]["kinds"] = [{"kind": "plain"}]
    assert Simulation.from_spec(made).run_many(runs=1).customers == {}


def test_task_that_matters_more_waits_less_for_a_place_in_flight() -> None:
    limited = {"default": {"max_in_flight": 1}}
    result = Simulation.from_spec(spec(policies=limited)).run(1)
    ends = sorted((end_s, kind) for kind, end_s in rows(result, TASK, "name", "end_s"))
    order = [kind for _, kind in ends[1:]]  # the first one found the place free
    assert order == sorted(order, key=lambda kind: kind != "gold")


class Line:
    """Calls that take a second each, through one place."""

    def __init__(self, places: int = 1) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.span = self.log.open_task("task", 1)
        self.served: list[str] = []
        self.call = with_bulkhead(self._serve, places, self.log)

    async def _serve(self, request: Request) -> Reply:
        self.served.append(request.prompt)
        await asyncio.sleep(1.0)
        return Reply("")

    async def ask(self, name: str, priority: int = 0) -> None:
        request = Request("a", "m", name, 1, name, 1, 1, self.span, priority=priority)
        await self.call(request)


def test_those_who_matter_alike_are_served_in_order() -> None:
    line = Line()

    async def play() -> None:
        wishes = [("a", 0), ("b", 0), ("c", 5), ("d", 1), ("e", 5)]
        await asyncio.gather(*(line.ask(name, priority) for name, priority in wishes))

    run(line.kernel, play())
    assert line.served == ["a", "c", "e", "d", "b"]


def test_place_of_a_call_that_was_given_up_goes_to_the_next() -> None:
    line = Line()

    async def play() -> None:
        asked = [asyncio.ensure_future(line.ask(name)) for name in "abc"]
        await asyncio.sleep(0.5)
        asked[1].cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    run(line.kernel, play())
    assert line.served == ["a", "c"]
    assert line.kernel.now_s() == 2.0
    waits = [row[1:] for row in line.log.spans.rows("kind", "status", "end_s") if row[0] == WAIT]
    assert waits == [("cancelled", 0.5), ("ok", 1.0)]


def test_place_that_comes_at_the_moment_of_giving_up_is_not_lost() -> None:
    line = Line()

    async def play() -> None:
        first, second = (asyncio.ensure_future(line.ask(name)) for name in "ab")
        first.add_done_callback(lambda _: second.cancel())
        await asyncio.gather(first, second, return_exceptions=True)
        await line.ask("c")

    run(line.kernel, play())
    assert line.served[-1] == "c"
