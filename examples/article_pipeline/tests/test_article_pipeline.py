"""What the threads of a pipeline do to the state that they share, and how long they take together."""

from __future__ import annotations

from article_pipeline import ArticlePipeline

from harness.sim import Sim

TITLES = ["Past", "Present", "Future"]


def describe(sim: Sim, **latency_s: float) -> None:
    """An outliner and an editor that take a second each, and a writer for every section."""
    sim.agent("outliner", system="*outliner*", reply="\n".join(TITLES), latency_s=1.0)
    for title in TITLES:
        sim.agent(
            title,
            when=lambda call, title=title: call.prompt == title,
            reply=f"about the {title.lower()}",
            latency_s=latency_s.get(title, 4.0),
        )
    sim.agent("editor", system="*an editor*", reply=lambda call: call.prompt, latency_s=1.0)


def test_an_article_takes_as_long_as_its_slowest_section(sim: Sim) -> None:
    describe(sim, Past=2.0, Present=3.0, Future=6.0)

    run = sim.run(lambda: ArticlePipeline().run("Bridges"))

    assert run.latency_s == 1.0 + 6.0 + 1.0
    assert run.output.split("\n\n") == [f"{t}: about the {t.lower()}" for t in TITLES]


def test_two_workers_take_the_third_section_when_one_is_free(sim: Sim) -> None:
    describe(sim, Past=2.0, Present=3.0, Future=6.0)

    run = sim.run(lambda: ArticlePipeline(max_workers=2).run("Bridges"))

    assert run.latency_s == 1.0 + (2.0 + 6.0) + 1.0


def test_no_tokens_are_lost_that_threads_count_together(sim: Sim) -> None:
    describe(sim)

    def program() -> int:
        pipeline = ArticlePipeline()
        pipeline.run("Bridges")
        return pipeline.tokens

    run = sim.run(program)

    attempts = [attempt for call in run.calls() for attempt in call.attempts]
    assert run.output == sum(one.input_tokens + one.output_tokens for one in attempts)


def test_sections_stand_in_the_order_in_which_they_were_finished(sim: Sim) -> None:
    """A weakness, written down: threads append, so a slow beginning comes last."""
    describe(sim, Past=5.0)

    run = sim.run(lambda: ArticlePipeline().run("Bridges"))

    assert [part.partition(":")[0] for part in run.output.split("\n\n")] == [
        "Present",
        "Future",
        "Past",
    ]
