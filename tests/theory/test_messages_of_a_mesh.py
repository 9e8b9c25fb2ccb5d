"""The number of messages in a mesh, and what reading them costs, as closed forms; exact, since nothing is drawn.

n peers that write to all others in R rounds and are done in the next hear R n (n - 1) letters: each letter is read by n - 1
peers. In each round a call reads the task, the letters of the others and the question, so that tokens grow with the square too.
"""

from __future__ import annotations

import pytest

from harness.patterns.mesh import QUESTION, Mesh
from harness.provider.tokens import count_tokens
from tests.patterns.stage import Speaker, Stage

TASK_TOKENS = 100


@pytest.mark.parametrize("rounds", [0, 1, 3])
@pytest.mark.parametrize("peers", [2, 3, 10, 30])
def test_letters_and_tokens_grow_with_the_square_of_the_peers(peers: int, rounds: int) -> None:
    letter = "hello"
    names = tuple(f"p{number}" for number in range(peers))
    stage = Stage(**{name: Speaker(1.0, *[letter] * rounds, "done") for name in names})
    stage.play(Mesh(peers=names, max_rounds=rounds + 1))
    heard = [kind for _, _, kind in stage.messages()].count("update")
    read = sum(sum(speaker.input_tokens) for speaker in stage.speakers.values())
    letters = rounds * peers * (peers - 1)
    calls = (rounds + 1) * peers
    assert heard == letters
    assert len(stage.turns()) == calls
    assert read == letters * len(letter) + calls * (TASK_TOKENS + count_tokens(QUESTION))
    assert stage.kernel.now_s() == rounds + 1
