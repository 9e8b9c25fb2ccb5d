"""Seven tests that fail, each for another reason; what is said of them is in the guide."""

from __future__ import annotations

import newsroom

from harness.sim import Sim


def test_two_articles_are_published(sim: Sim) -> None:
    assert len(sim.run(newsroom.publish, "solar power").output) == 2


def test_all_people_are_interviewed(sim: Sim) -> None:
    for call in (1, 2):
        sim.fault("status", status=500, agent="interviewer", call=call)
    answers = sim.run(newsroom.interview_all, ["Ada", "Ben", "Cem", "Dora"]).output
    assert len(answers) == 4


def test_headline_is_short(sim: Sim) -> None:
    sim.fault("hang", agent="editor")
    assert len(sim.run(newsroom.headline, "solar power").output) < 80


def test_survey_keeps_what_was_found(sim: Sim) -> None:
    sim.fault("status", status=400, agent="researcher", call=2)
    sim.run(newsroom.survey, ["cost", "speed", "risk"]).assert_no_lost_results()


def test_all_texts_are_labelled(sim: Sim) -> None:
    sim.provider("anthropic", requests_per_min=6)
    texts = [f"text {number}" for number in range(40)]
    assert len(sim.run(newsroom.label_all, texts).output) == 40


def test_article_uses_the_facts(sim: Sim) -> None:
    sim.agent("researcher", system="*researcher*", reply="Solar power fell to 3 cents a kWh.")
    sim.agent("writer", system="*writer*")
    run = sim.run(newsroom.article, "solar power")
    run.assert_called_with_output_of("writer", "researcher")


def test_draft_is_revised_once(sim: Sim) -> None:
    sim.agent("reviewer", system="*reviewer*", reply=["too long"])
    sim.agent("writer", system="*writer*", reply="a shorter draft")
    assert sim.run(newsroom.revise, "a draft").output == "a shorter draft"
