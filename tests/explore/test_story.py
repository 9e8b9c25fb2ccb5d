"""The story of a finding is about the run that failed: its times, its calls, and only what differs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import anthropic

from harness.explore.deviation import Deviation, Fault, Latency, ThreadGoes, ToolFails
from harness.explore.nearest import Near
from harness.explore.observation import Observation, Site, Use
from harness.explore.page import beside
from harness.explore.story import compare, in_words, nearest_in_words
from harness.sim import Sim


def site(number: int, start_s: float, end_s: float) -> Site:
    return Site(
        number=number,
        agent="judge",
        address=f"main/{number}",
        path="main",
        start_s=start_s,
        end_s=end_s,
        prompt="?",
        text="!",
        status="ok",
        attempts=1,
        met=False,
        is_stream=False,
        calls_tools=False,
        heard=(),
    )


def run(*sites: Site, uses: Sequence[Use] = (), applied: Sequence[Deviation] = ()) -> Observation:
    return Observation(
        output=None,
        error=None,
        latency_s=max(one.end_s for one in sites),
        sites=sites,
        uses=uses,
        applied=dict.fromkeys(applied),
    )


PASSING = run(site(1, 0, 3), site(2, 3, 6))


def test_lines_that_are_the_same_are_not_marked_when_one_run_takes_longer() -> None:
    before = ["0.000 -> 1.000  call 1 of a", "1.000 -> 6.000  call 1 of b"]
    now = [" 0.000 ->  1.000  call 1 of a", " 1.000 -> 26.000  call 1 of b"]
    told = list(compare(before, now))
    assert told[0] == "  0.000 ->  1.000  call 1 of a"
    assert told[1] == "- 1.000 ->  6.000  call 1 of b  <- here they part"
    assert [same for _, _, same in beside(before, now)] == [True, False]


def test_timelines_that_are_the_same_have_nothing_to_compare() -> None:
    assert list(compare(["0.000 -> 1.000  a"], ["0.000 -> 1.000  a"])) == []
    assert list(compare([], [])) == []


def test_what_a_late_call_comes_too_late_for_is_shown() -> None:
    both = [f"{at_s:.3f} -> {at_s + 0.5:.3f}  call {at_s} of b" for at_s in range(1, 20)]
    before, now = (["0.000 -> 13.000  call 1 of a", *both], ["0.000 -> 15.200  call 1 of a", *both])
    told = [line.split("call ")[1] for line in compare(before, now)]
    assert told == [
        "1 of a  <- here they part",
        "1 of a",
        "1 of b",
        "13 of b",
        "14 of b",
        "15 of b",
    ]


def test_call_is_told_with_its_time_in_the_run_that_failed() -> None:
    failing = run(site(1, 0, 10), site(2, 10, 20))
    words = in_words(Latency("main/2", 10.0), PASSING, failing)
    assert words == "call 2 of judge (main, begun at 10.000 s) takes 10 s, not 3 s"


def test_call_that_the_failing_run_does_not_make_is_told_with_its_time_in_the_passing_run() -> None:
    words = in_words(Fault("main/2", "hang"), PASSING, run(site(1, 0, 10)))
    assert words == "call 2 of judge (main, begun at 3.000 s) meets hang"


def test_nearest_run_is_told_without_what_met_nothing_in_it() -> None:
    late, failed = Latency("main/1", 6.0), Fault("main/1 backup", "overloaded")
    near = Near((late, failed), run(site(1, 0, 6), applied=(late,)))
    assert nearest_in_words(PASSING, near) == (
        "call 1 of judge (main, begun at 0.000 s) takes 6 s, not 3 s",
    )


def test_use_of_a_tool_is_told_by_its_number_and_time() -> None:
    uses = (
        Use("main send", "send", "main", 2.0, 2.1),
        Use("main send#2", "send", "main", 3.0, 3.1),
    )
    words = in_words(ToolFails("main send#2", effect=True), run(site(1, 0, 1), uses=uses), PASSING)
    assert words == ("use 2 of send (main, begun at 3.000 s) does its work, and its answer is lost")


def test_order_of_threads_is_told_by_how_often_they_were_ready() -> None:
    words = in_words(ThreadGoes("budget | executor", 3, "executor"), PASSING, PASSING)
    assert words == (
        "the 3rd time that the threads budget and executor are ready at once, executor goes first"
    )


def test_status_is_told_once() -> None:
    words = in_words(Fault("main/1", "status", (("status", 400),)), PASSING, PASSING)
    assert words.endswith("meets status 400")


async def hedged() -> bool:
    """A second clerk is asked after 6 s; who ends first counts, also if it has failed."""
    client = anthropic.AsyncAnthropic(api_key="test", max_retries=0)

    async def ask(who: str) -> bool:
        try:
            await client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=50,
                system=who,
                messages=[{"role": "user", "content": "?"}],
            )
        except anthropic.APIError:
            return False
        return True

    first = asyncio.create_task(ask("first"))
    done, _ = await asyncio.wait({first}, timeout=6)
    if done:
        return first.result() or await ask("second") or True  # both were asked
    done, left = await asyncio.wait(
        {first, asyncio.create_task(ask("second"))}, return_when=asyncio.FIRST_COMPLETED
    )
    return any(one.result() for one in done) or not left


def test_no_address_of_a_call_that_was_not_made_is_in_a_story() -> None:
    sim = Sim(1)
    sim.agent("first", system="first", reply="yes", latency_s=3.0)
    sim.agent("second", system="second", reply="yes", latency_s=3.0, allow_unused=True)
    (finding,) = sim.explore(hedged, check=bool, runs=40).findings
    assert len(finding.overrides) == 2
    assert "call '" not in finding.story
    assert "begun at 6.000 s) meets" in finding.story
