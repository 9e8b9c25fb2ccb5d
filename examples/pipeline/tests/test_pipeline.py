"""What flows from stage to stage, what a stage that is tried again leaves behind, and what a damaged reply does."""

from __future__ import annotations

import asyncio

import pytest
from openai import InternalServerError
from pipeline import STAGE_TRIES, Item, publish

from harness.sim import Sim

SOURCE = "The ferry to Evian sails at nine.\n\nIts new hull is made of recycled aluminium."
FACTS = {
    "The ferry to Evian sails at nine.": "- Departure for Evian at nine o'clock",
    "Its new hull is made of recycled aluminium.": "- Hull of recycled aluminium\n- Launched this spring",
}
DRAFT = "At nine o'clock the ferry leaves for Evian, on a hull of recycled aluminium launched this spring."
FINAL = "The nine o'clock ferry to Evian now sails on recycled aluminium."


@pytest.fixture
def staff(sim: Sim) -> None:
    """One agent a stage."""
    sim.agent("extractor", system="*fact extractor*", reply=lambda call: FACTS[call.prompt])
    sim.agent("writer", system="*newsletter writer*", reply=DRAFT)
    sim.agent("editor", system="*an editor*", reply=FINAL)


@pytest.mark.usefixtures("staff")
def test_every_stage_works_on_what_the_stage_before_it_left(sim: Sim) -> None:
    run = sim.run(publish, SOURCE)

    assert run.output.final == FINAL
    assert run.output.done == ["extract", "write", "edit"]
    assert run.output.facts == [
        "Departure for Evian at nine o'clock",
        "Hull of recycled aluminium",
        "Launched this spring",
    ]
    run.assert_called_with_output_of("writer", "extractor")
    run.assert_called_with_output_of("editor", "writer")
    run.assert_no_lost_results()


@pytest.mark.usefixtures("staff")
def test_passages_are_extracted_one_after_another_which_is_where_the_time_goes(sim: Sim) -> None:
    sim.provider("openai", latency=1.5)

    run = sim.run(publish, SOURCE)

    assert run.latency_s == pytest.approx(4 * 1.5, abs=0.1)
    with pytest.raises(AssertionError, match=r"at most 1 of \d calls of extractor ran at once"):
        run.assert_parallel("extractor")


@pytest.mark.usefixtures("staff")
def test_an_item_survives_a_server_error_in_any_stage_and_a_lost_connection(sim: Sim) -> None:
    run = sim.run(publish, SOURCE)

    for agent in ("extractor", "writer", "editor"):
        run.assert_survives("status", status=500, agent=agent, call=1, attempt=1)
        run.assert_survives("reset_midway", agent=agent, call=1, attempt=1)


@pytest.mark.usefixtures("staff")
def test_a_stage_that_is_tried_again_tells_its_facts_twice(sim: Sim) -> None:
    """A weakness, written down: the stages work in place, so what a failed try has added stays."""
    sim.fault("status", status=500, agent="extractor", call=2, attempt=1)

    run = sim.run(publish, SOURCE)

    assert run.output.facts.count("Departure for Evian at nine o'clock") == 2
    assert run.calls("writer")[0].prompt.count("Departure for Evian") == 2


@pytest.mark.usefixtures("staff")
def test_an_editor_that_is_cut_off_publishes_half_a_sentence(sim: Sim) -> None:
    """A weakness, written down: nobody looks at the finish reason."""
    sim.fault("truncated", agent="editor", keep=0.5)

    run = sim.run(publish, SOURCE)

    assert run.output.final == FINAL[: len(FINAL) // 2]


@pytest.mark.usefixtures("staff")
def test_an_editor_that_is_down_takes_the_finished_draft_with_it(sim: Sim) -> None:
    sim.fault("status", status=503, agent="editor")

    with pytest.raises(InternalServerError):
        sim.run(publish, SOURCE)

    assert sum(len(call.attempts) for call in sim.last_run.calls("editor")) == STAGE_TRIES
    assert sim.last_run.calls("writer")[0].status == "ok"  # paid for, and lost


@pytest.mark.usefixtures("staff")
def test_the_same_seed_is_the_same_run_and_another_is_not(sim: Sim) -> None:
    first, again, other = (sim.run(publish, SOURCE, seed=seed) for seed in (7, 7, 8))

    assert first.timeline() == again.timeline() != other.timeline()


@pytest.mark.usefixtures("staff")
async def test_two_items_that_are_made_side_by_side_share_nothing(sim: Sim) -> None:
    sim.provider("openai", latency=1)

    one, two = await asyncio.gather(publish(SOURCE), publish(SOURCE))

    assert isinstance(one, Item)
    assert one == two
    assert one.facts is not two.facts
    sim.so_far().assert_parallel("writer", at_least=2)
