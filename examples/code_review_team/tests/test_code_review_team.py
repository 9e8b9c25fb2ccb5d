"""Four reviewers in threads: what they cost in time, and what a report says when one of them raises."""

from __future__ import annotations

import anthropic
import pytest
from code_review_team import review_code

from harness.sim import Sim

LATENCY_S = {"security": 8.0, "performance": 5.0, "style": 2.0, "tests": 3.0}
CODE = "os.system(request.args['command'])"


def describe(sim: Sim, **reply: str) -> None:
    """Reviewers who say OK unless told otherwise, and a lead who repeats what it is told."""
    for focus, latency_s in LATENCY_S.items():
        sim.agent(focus, system=f"*for {focus}*", reply=reply.get(focus, "OK"), latency_s=latency_s)
    sim.agent(
        "lead", system="*lead*", reply=lambda call: call.prompt, latency_s=1.0, allow_unused=True
    )


def test_a_review_takes_as_long_as_the_slowest_reviewer_and_the_summary(
    sim: Sim, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(sim)

    run = sim.run(review_code, CODE)

    assert run.latency_s == 8.0 + 1.0
    assert run.output.duration_s == 8.0
    assert capsys.readouterr().out.splitlines() == [
        "style: done after 0:00:02",
        "tests: done after 0:00:03",
        "performance: done after 0:00:05",
        "security: done after 0:00:08",
    ]


def test_one_reviewer_who_objects_blocks_the_change(sim: Sim) -> None:
    describe(sim, security="BLOCK: a user's text reaches the shell.")

    run = sim.run(review_code, CODE)

    assert not run.output.approved
    assert "a user's text reaches the shell" in run.output.summary


@pytest.mark.parametrize("fault", ["overloaded", "hang", "refused", "invalid_json"])
def test_a_reviewer_who_raises_is_named_and_the_others_are_kept(sim: Sim, fault: str) -> None:
    describe(sim)
    sim.fault(fault, agent="performance")

    review = sim.run(review_code, CODE).output

    assert list(review.errors) == ["performance"]
    assert sorted(review.findings) == ["security", "style", "tests"]


def test_a_reviewer_who_chats_is_one_who_raises(sim: Sim) -> None:
    describe(sim, style="Nice code!")

    assert sim.run(review_code, CODE).output.errors == {
        "style": "ValueError('unexpected review: Nice code!')"
    }


def test_a_change_is_approved_because_the_reviewer_who_would_object_is_down(sim: Sim) -> None:
    """A weakness: silence counts as consent, and the summary does not say who is missing."""
    describe(sim, security="BLOCK: a user's text reaches the shell.")
    sim.fault("overloaded", agent="security")

    review = sim.run(review_code, CODE).output

    assert review.approved
    assert "security" not in review.summary


def test_with_no_review_at_all_the_empty_prompt_is_what_fails(sim: Sim) -> None:
    """A weakness: nothing asks whether any review is there, and the API refuses an empty message."""
    describe(sim)
    for focus in LATENCY_S:
        sim.fault("overloaded", agent=focus)

    with pytest.raises(anthropic.BadRequestError, match="non-empty content"):
        sim.run(review_code, CODE)


def test_reviews_are_lost_when_the_summary_fails(sim: Sim) -> None:
    """A weakness: the lead is the single point of failure, after all has been paid for."""
    describe(sim)
    sim.fault("status", status=400, agent="lead")

    with pytest.raises(anthropic.BadRequestError):
        sim.run(review_code, CODE)

    assert sim.last_run.latency_s > 8.0


def test_what_the_lead_is_told_stands_in_the_order_in_which_reviewers_were_done(sim: Sim) -> None:
    """A weakness: `as_completed` makes the prompt depend on who was fast."""
    describe(sim)

    run = sim.run(review_code, CODE)

    assert run.calls("lead")[0].prompt == "style: OK\ntests: OK\nperformance: OK\nsecurity: OK"
