"""Peers without anybody in charge: who hears whom, in which version, how many messages, and whether it ever ends."""

from __future__ import annotations

import pytest

from harness.agents import Message
from harness.kernel import run
from harness.models import ModelError
from harness.patterns.mesh import QUESTION, Livelock, Mesh, UnknownPeer, VersionMismatch
from harness.spans import AGENT, TASK
from tests.patterns.simulated import rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage

ABC = ("a", "b", "c")


def talk(**says: Answer | tuple[Answer, ...]) -> Stage:
    """Peers who say `hi from NAME` and then are done, or what is stated."""
    said: dict[str, Answer | tuple[Answer, ...]] = {
        name: (f"hi from {name}", f"done: {name}") for name in ABC
    }
    return Stage(
        **{
            name: Speaker(1.0, *(answers if isinstance(answers, tuple) else (answers,)))
            for name, answers in (said | says).items()
        }
    )


def test_each_peer_hears_all_others() -> None:
    stage = talk()
    answer = stage.play(Mesh(peers=ABC))
    assert answer.text == "done: a\n\ndone: b\n\ndone: c"
    assert stage.speakers["b"].prompts == [
        f"the task\n\n{QUESTION}",
        f"the task\n\nhi from a\n\nhi from c\n\n{QUESTION}",
    ]
    assert stage.kernel.now_s() == 2.0  # a round is side by side


def test_peers_that_are_done_at_once_need_one_round() -> None:
    stage = talk(a="done", b="Done: 2", c="**Done**")
    assert stage.play(Mesh(peers=ABC, max_rounds=1)).text == "done\n\nDone: 2\n\n**Done**"


@pytest.mark.parametrize(
    ("line", "heard_by"),
    [
        ("to: b", ["b"]),
        ("to: b, c", ["b", "c"]),
        ("To: @B and c.", ["b", "c"]),
        ('{"to": ["c"], "text": "hi"}', ["c"]),
        ("to: all", ["b", "c"]),
        ("hi", ["b", "c"]),
        ("to: a", []),
    ],
)
def test_peer_can_write_to_some(line: str, heard_by: list[str]) -> None:
    stage = talk(a=(line, "done"), b="done", c="done")
    stage.play(Mesh(peers=ABC))
    assert [name for name in ABC if len(stage.speakers[name].prompts) == 2] == heard_by


def test_letter_to_somebody_who_is_not_there_fails_the_task() -> None:
    with pytest.raises(UnknownPeer, match=r"^a writes to 'zoe', who is not there$"):
        talk(a="to: b, Zoe").play(Mesh(peers=ABC))


def test_peers_that_never_are_done_are_stopped() -> None:
    stage = talk(a="after you", b="after you", c="done")
    with pytest.raises(Livelock, match=r"^a, b, c still have mail after 3 rounds$"):
        stage.play(Mesh(peers=ABC, max_rounds=3))
    assert len(stage.turns()) == 9


def test_spokesperson_puts_the_answers_together() -> None:
    stage = talk(speaker="in short")
    assert stage.play(Mesh(peers=ABC, spokesperson="speaker")).text == "in short"
    assert stage.speakers["speaker"].prompts == ["the task\n\ndone: a\n\ndone: b\n\ndone: c"]


def test_failure_of_a_peer_ends_the_task() -> None:
    with pytest.raises(ModelError):
        talk(b=FAILURE).play(Mesh(peers=ABC))


@pytest.mark.parametrize("peers", [2, 3, 5, 8])
def test_number_of_messages_grows_with_the_square_of_the_peers(peers: int) -> None:
    """With one round of letters, n (n - 1) of them."""
    names = tuple(f"p{number}" for number in range(peers))
    stage = Stage(**{name: Speaker(1.0, "hello", "done") for name in names})
    stage.play(Mesh(peers=names))
    letters = stage.messages()
    assert [kind for *_, kind in letters if kind == "update"] == ["update"] * peers * (peers - 1)
    assert all(sender in names for sender, _, kind in letters if kind == "update")


# -- versions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "versions",
    [
        {},
        {"a": ("2", "1"), "b": ("1",), "c": ("1", "2")},
        {"a": ("2",)},
        {"a": ("2", "1"), "b": ("2",), "c": ("2", "3")},
        {"a": ("2", "1"), "b": ("1", "3"), "c": ("2", "3")},  # no version of all three
    ],
)
def test_peers_that_share_a_version_with_each_other_hear_one_another(
    versions: dict[str, tuple[str, ...]],
) -> None:
    stage = talk()
    stage.play(Mesh(peers=ABC, versions=versions))
    assert all(len(speaker.prompts) == 2 for speaker in stage.speakers.values())


DRIFT = {"a": ("1", "2"), "b": ("2",), "c": ("3",)}


def test_letter_bears_the_version_that_its_two_peers_use() -> None:
    heard: list[tuple[str, str, str]] = []

    class Listener:
        def __init__(self, name: str) -> None:
            self.name = name

        async def handle(self, *messages: Message) -> Message:
            letters = [message for message in messages if message.sender in ABC]
            heard.extend((letter.sender, letter.recipient, letter.version) for letter in letters)
            assert all(letter.recipient == self.name for letter in letters)
            return messages[0].reply(self.name, "done" if letters else "hi")

    versions = {"a": ("2", "1"), "b": ("1",), "c": ("2", "3")}
    pattern = Mesh(peers=ABC, versions=versions, on_mismatch="drop")
    stage = Stage()
    team = {name: Listener(name) for name in ABC}
    run(stage.kernel, pattern.run(Message.of_text(stage.task, "user", "the task"), team))
    assert heard == [("b", "a", "1"), ("c", "a", "2"), ("a", "b", "1"), ("a", "c", "2")]


def test_peers_without_a_common_version_fail_the_task_before_any_call() -> None:
    stage = talk()
    with pytest.raises(VersionMismatch, match=r"^a speaks 1, 2, c speaks 3$"):
        stage.play(Mesh(peers=ABC, versions=DRIFT))
    assert stage.turns() == []


def test_letters_in_a_version_that_their_recipient_does_not_speak_can_be_lost() -> None:
    stage = talk()
    answer = stage.play(Mesh(peers=ABC, versions=DRIFT, on_mismatch="drop"))
    assert answer.text == "done: a\n\ndone: b\n\nhi from c"  # c has heard nobody
    assert stage.speakers["a"].prompts[1] == f"the task\n\nhi from b\n\n{QUESTION}"


def test_peer_twice_and_versions_of_a_stranger_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^a peer is listed twice$"):
        Mesh(peers=("a", "a"))
    with pytest.raises(ValueError, match=r"^z has versions and is no peer$"):
        Mesh(peers=("a", "b"), versions={"z": ("1",)})


# -- scenarios ----------------------------------------------------------------------------------------------------


def turns(name: str, *overrides: str) -> dict[str, list[int]]:
    """How many turns each agent has in each task of the kind `agree`."""
    result = simulated(name, *overrides)
    kinds = dict(rows(result, TASK, "task", "name"))
    seen = [row for row in rows(result, AGENT, "agent", "task") if kinds[row[1]] == "agree"]
    tasks = sorted({task for _, task in seen})
    return {
        agent: sorted({seen.count((agent, task)) for task in tasks})
        for agent in sorted({agent for agent, _ in seen})
    }


def test_peers_agree_after_one_exchange() -> None:
    assert turns("mesh") == {"berlin": [2], "lagos": [2], "lima": [2]}


def test_peers_that_wait_for_one_another_are_stopped_at_the_bound() -> None:
    result = simulated("mesh_livelock")
    assert set(rows(result, TASK, "name", "error")) == {("agree", ""), ("yield", "Livelock")}
    kinds = dict(rows(result, TASK, "task", "name"))
    found = [kinds[task] for (task,) in rows(result, AGENT, "task")]
    assert found.count("yield") == 3 * 4 * list(kinds.values()).count("yield")


def test_peer_whose_version_has_drifted_is_heard_by_nobody_and_hears_nobody() -> None:
    """The task succeeds all the same; only messages are missing."""
    assert turns("mesh_version_drift") == {"berlin": [2], "lagos": [2], "lima": [1]}
    statuses = set(rows(simulated("mesh_version_drift"), TASK, "status"))
    assert statuses == {("ok",)}
    failed = simulated("mesh_version_drift", "pattern.mesh.on_mismatch=fail")
    assert set(rows(failed, TASK, "error")) == {("VersionMismatch",)}
