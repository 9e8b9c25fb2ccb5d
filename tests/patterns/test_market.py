"""A contract net: who bids, who gets the task, and what a bid is worth that promises too much."""

from __future__ import annotations

import pytest

from harness.models import ModelError
from harness.patterns.decisions import DecisionUnreadable
from harness.patterns.market import ANNOUNCEMENT, AWARD, Market, NobodyBids
from harness.spans import CALL, TASK
from tests.patterns.simulated import rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage

ABC = ("a", "b", "c")


def fair(*bids: Answer) -> Stage:
    """Contractors that take 1, 2 and 3 seconds; each bids, and answers with its name once the task is its own."""
    stands = {
        name: Speaker(1.0 + place, bid, f"work of {name}")
        for place, (name, bid) in enumerate(zip(ABC, bids, strict=True))
    }
    return Stage(**stands, manager=Speaker(1.0, "all work"))


def test_lowest_bid_gets_the_task() -> None:
    stage = fair("bid: 3", "bid: 1", "bid: 2")
    answer = stage.play(Market(contractors=ABC))
    assert (answer.sender, answer.text) == ("b", "work of b")
    assert stage.speakers["b"].prompts == [
        f"the task\n\n{ANNOUNCEMENT}",
        f"the task\n\n{AWARD}",
    ]
    assert len(stage.speakers["a"].prompts) == 1
    assert stage.kernel.now_s() == 3.0 + 2.0  # the slowest bid, then the work


def test_highest_bid_gets_the_task_where_that_is_asked_for() -> None:
    assert (
        fair("bid: 3", "bid: 1", "bid: 2").play(Market(contractors=ABC, award="highest")).sender
        == "a"
    )


@pytest.mark.parametrize("award", ["lowest", "highest"])
def test_of_equal_bids_the_one_listed_first_wins(award: str) -> None:
    pattern = Market(contractors=("c", "a", "b"), award=award)  # type: ignore[arg-type]  # one of its literals
    assert fair("bid: 1", "bid: 1", "bid: 1").play(pattern).sender == "c"


@pytest.mark.parametrize(
    "bid",
    ["bid: 1", "Bid: $1", '{"bid": 1.0}', '{"price": "1 EUR"}', "1", "I can.\n**Bid:** 1.00 USD", "cost: -1,000"],
)  # fmt: skip
def test_bid_is_a_number_in_a_field_or_alone(bid: str) -> None:
    assert fair("bid: 2", bid, "pass").play(Market(contractors=ABC)).sender == "b"


@pytest.mark.parametrize("silence", ["pass", "Pass: I know no law", "bid: none", "no bid", FAILURE])
def test_whoever_passes_or_fails_does_not_bid(silence: Answer) -> None:
    assert fair(silence, silence, "bid: 9").play(Market(contractors=ABC)).sender == "c"


@pytest.mark.parametrize("bid", ["bid: 1-2", "bid: cheap", "I will do it", '{"bid": true}', "bid: 1 or 2", ""])  # fmt: skip
def test_bid_that_cannot_be_read_fails_the_task_or_is_none(bid: str) -> None:
    with pytest.raises(DecisionUnreadable, match=r"^a neither bids nor passes: "):
        fair(bid, "bid: 2", "pass").play(Market(contractors=ABC))
    lenient = Market(contractors=ABC, on_unreadable="pass")
    assert fair(bid, "bid: 2", "pass").play(lenient).sender == "b"


def test_nobody_bids() -> None:
    stage = fair("pass", FAILURE, "pass")
    with pytest.raises(NobodyBids, match=r"^none of 3 contractors bids$"):
        stage.play(Market(contractors=ABC))


def test_bid_after_the_deadline_does_not_count() -> None:
    stage = fair("bid: 3", "bid: 2", "bid: 1")
    assert stage.play(Market(contractors=ABC, bid_deadline_s=2.5)).sender == "b"
    assert stage.turns()[2] == ("c", 0.0, 2.5, "cancelled")


def test_best_bidders_form_a_team_whose_results_are_joined_or_put_together() -> None:
    joined = fair("bid: 3", "bid: 1", "bid: 2").play(Market(contractors=ABC, team_size=2))
    assert joined.text == "work of b\n\nwork of c"
    stage = fair("bid: 3", "bid: 1", "bid: 2")
    assert stage.play(Market(contractors=ABC, team_size=2, manager="manager")).text == "all work"
    assert stage.speakers["manager"].prompts == ["the task\n\nwork of b\n\nwork of c"]
    assert stage.kernel.now_s() == 3.0 + 3.0 + 1.0


def test_team_is_smaller_where_fewer_bid() -> None:
    assert fair("pass", "bid: 1", "pass").play(Market(contractors=ABC, team_size=3)).sender == "b"


def test_failure_of_the_winner_ends_the_task() -> None:
    stage = Stage(a=Speaker(1.0, "bid: 1", FAILURE))
    with pytest.raises(ModelError):
        stage.play(Market(contractors=("a",)))


# -- scenarios ----------------------------------------------------------------------------------------------------


def winners(name: str) -> dict[str, set[str]]:
    """Who worked on each kind of task."""
    result = simulated(name)
    kinds = dict(rows(result, TASK, "task", "name"))
    found: dict[str, set[str]] = {}
    for task, agent, ordinal in rows(result, CALL, "task", "agent", "ordinal"):
        if ordinal == 2:  # the first is the bid
            found.setdefault(kinds[task], set()).add(agent)
    return found


def test_honest_bids_bring_each_task_to_whoever_knows_it() -> None:
    assert winners("market") == {"code": {"coder"}, "data": {"analyst"}}


def test_task_that_nobody_bids_for_fails_after_all_bids_were_paid() -> None:
    result = simulated("market_nobody_bids")
    endings = set(rows(result, TASK, "name", "error"))
    assert endings == {("code", ""), ("data", ""), ("poem", "NobodyBids")}
    assert "poem" not in winners("market_nobody_bids")


def test_contractor_that_promises_too_much_gets_every_task_and_does_it_badly() -> None:
    assert winners("market_wrong_award") == {"code": {"boaster"}, "data": {"boaster"}}
    right = {
        name: [
            correct
            for ordinal, correct in rows(simulated(name), CALL, "ordinal", "correct")
            if ordinal == 2
        ]
        for name in ("market", "market_wrong_award")
    }
    assert sum(right["market"]) / len(right["market"]) > 0.9
    assert sum(right["market_wrong_award"]) / len(right["market_wrong_award"]) < 0.5
