"""Blocking reviewers in an async program: they take no time from one another, nor from the loop."""

from __future__ import annotations

import asyncio

from review_panel import SUBJECTS, review, review_one

from harness.sim import Sim

LATENCY_S = {"security": 6.0, "style": 2.0, "tests": 4.0}


def describe(sim: Sim) -> None:
    for subject in SUBJECTS:
        sim.agent(
            subject,
            system=f"*for {subject}*",
            reply=f"{subject}: fine",
            latency_s=LATENCY_S[subject],
        )


def test_a_review_takes_as_long_as_its_slowest_reviewer(sim: Sim) -> None:
    describe(sim)

    run = sim.run(review, "+ x = 1")

    assert run.latency_s == 6.0
    assert run.output == {subject: f"{subject}: fine" for subject in SUBJECTS}


async def test_the_loop_goes_on_while_reviewers_block(sim: Sim) -> None:
    describe(sim)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.7)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await review("+ x = 1")
    ticking.cancel()

    assert ticks == 8  # the last after 5.6 s
    assert sim.so_far().latency_s == 6.0


def test_a_reviewer_that_hangs_is_left_out_after_two_timeouts(sim: Sim) -> None:
    describe(sim)
    sim.fault("hang", agent="style")

    run = sim.run(review, "+ x = 1")

    assert sorted(run.output) == ["security", "tests"]
    assert 60 < run.latency_s < 62  # two attempts of 30 s, and the SDK's wait between them


def test_a_blocking_call_without_a_thread_stops_the_loop(sim: Sim) -> None:
    """What `to_thread` is for: without it the reviewers wait for one another."""
    describe(sim)

    async def in_a_row(change: str) -> None:
        from anthropic import Anthropic

        async def one(subject: str) -> str:
            return review_one(Anthropic(), subject, change)

        await asyncio.gather(*map(one, SUBJECTS))

    assert sim.run(in_a_row, "+ x = 1").latency_s == 6.0 + 2.0 + 4.0
