"""The kernel by itself: a participant parks and is woken, and nothing else moves time."""

from __future__ import annotations

import pytest
from simpy.events import ProcessGenerator

from harness.errors import Deadlock, LimitExceeded
from harness.kernel import Kernel
from harness.kernel.kernel import DEFAULT_HORIZON_S, Halt
from harness.kernel.sim_thread import Waiter


def test_park_until_a_time_passes_exactly_that_time() -> None:
    kernel = Kernel()
    assert kernel.park(Waiter("p"), 3.5) is False
    assert kernel.now_s() == 3.5


def test_park_until_a_time_that_is_over_does_not_turn_time_back() -> None:
    kernel = Kernel()
    participant = Waiter("p")
    kernel.park(participant, 5)
    assert kernel.park(participant, 2) is False
    assert kernel.now_s() == 5


def test_park_ends_when_an_event_wakes_the_participant() -> None:
    kernel = Kernel()
    participant = Waiter("p")
    kernel.env.timeout(2).callbacks.append(lambda _: kernel.wake(participant))
    kernel.env.timeout(4).callbacks.append(lambda _: pytest.fail("this lies in the future"))
    assert kernel.park(participant, 10) is True
    assert kernel.now_s() == 2


def test_events_that_wake_nobody_happen_on_the_way() -> None:
    kernel = Kernel()
    log: list[float] = []
    for delay_s in (3, 1, 2, 9):
        kernel.env.timeout(delay_s).callbacks.append(lambda _: log.append(kernel.now_s()))
    assert kernel.park(Waiter("p"), 5) is False
    assert log == [1, 2, 3]
    assert kernel.now_s() == 5


def test_event_at_the_very_time_of_the_park_happens_before_the_park_ends() -> None:
    kernel = Kernel()
    participant = Waiter("p")
    kernel.env.timeout(5).callbacks.append(lambda _: kernel.wake(participant))
    assert kernel.park(participant, 5) is True


def test_wake_before_the_park_is_not_lost() -> None:
    kernel = Kernel()
    participant = Waiter("p")
    kernel.wake(participant)
    assert kernel.park(participant, 5) is True
    assert kernel.now_s() == 0
    assert kernel.park(participant, 5) is False  # and counts only once


def test_park_without_anything_planned_is_a_deadlock_with_the_report() -> None:
    kernel = Kernel()
    kernel.describe_stuck = lambda: "  everybody waits for everybody"
    kernel.park(Waiter("p"), 2)
    with pytest.raises(Deadlock, match=r"2\.000000 s") as caught:
        kernel.park(Waiter("p"))
    assert caught.value.now_s == 2
    assert "everybody waits for everybody" in str(caught.value)


def test_run_due_lets_events_of_this_instant_happen_and_none_later() -> None:
    kernel = Kernel()
    log: list[str] = []
    kernel.env.timeout(0).callbacks.append(lambda _: log.append("now"))
    kernel.env.timeout(0.001).callbacks.append(lambda _: log.append("later"))
    kernel.run_due()
    assert log == ["now"]
    assert kernel.now_s() == 0


def test_park_may_reach_the_horizon_but_not_pass_it() -> None:
    kernel = Kernel(horizon_s=100)
    participant = Waiter("p")
    assert kernel.park(participant, 100) is False
    with pytest.raises(LimitExceeded, match="horizon_s"):
        kernel.park(participant, 100.000001)
    assert kernel.now_s() == 100


def test_exactly_as_many_steps_as_allowed_may_happen_at_one_instant() -> None:
    kernel = Kernel(steps_per_instant=3)
    participant = Waiter("p")
    for instant in range(3):
        steps = 3 if instant == 0 else 2  # the step that moved time was the first
        for _ in range(steps):
            kernel.count_turn()
        kernel.park(participant, instant + 1)
    kernel.count_turn()
    kernel.count_turn()
    with pytest.raises(LimitExceeded, match="steps_per_instant"):
        kernel.count_turn()
    for _ in range(3):  # and as many again for the clean-up that follows
        kernel.count_turn()
    with kernel.clean_up(), pytest.raises(LimitExceeded, match="steps_per_instant"):
        kernel.count_turn()
    for _ in range(3):
        kernel.count_turn()
    with pytest.raises(Halt):  # a program that goes on all the same is stopped, whatever it catches
        kernel.count_turn()


def test_endless_process_is_stopped_by_the_default_horizon() -> None:
    """A heartbeat goes on for ever, so "until nothing is planned" would never come."""
    kernel = Kernel()

    def heartbeat() -> ProcessGenerator:
        while True:
            yield kernel.env.timeout(86_400 * 30)

    kernel.env.process(heartbeat())
    with pytest.raises(LimitExceeded, match="horizon_s"):
        kernel.park(Waiter("p"))
    assert kernel.now_s() <= DEFAULT_HORIZON_S
