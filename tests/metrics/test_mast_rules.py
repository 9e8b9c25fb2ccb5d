"""What decides the findings on failure modes of MAST, where a page of examples cannot say it."""

from __future__ import annotations

import pytest

from harness.metrics import findings
from harness.metrics.mast_rules import MAST
from harness.spans import CANCELLED
from tests.metrics.test_findings import Story


def given_up(agent: str) -> list[str]:
    """What is found in a run that ends well after a call of an agent was given up."""
    story = Story()
    with story.call(agent) as call:
        story.attempt(call, status=CANCELLED)
    story.log.close(story.span)
    return [it.mast for it in findings(story.log.spans, story.log.events) if it.mast]


@pytest.mark.parametrize(
    "agent", ["critic", "code_reviewer", "CodeReviewer", "fact-checker", "QA tester"]
)
def test_agent_that_checks_is_known_by_a_word_of_its_name(agent: str) -> None:
    assert given_up(agent) == [MAST["no_verification"]]


@pytest.mark.parametrize("agent", ["latest_news", "writer", "contestant", "invalidator"])
def test_other_agents_are_not_taken_for_one(agent: str) -> None:
    assert given_up(agent) == []
