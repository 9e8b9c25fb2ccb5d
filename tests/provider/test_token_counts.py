from __future__ import annotations

import pytest

from harness.provider.tokens import count_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("x" * 4000, 1000), ("ä" * 5, 2)],
)
def test_four_characters_are_a_token_and_a_part_of_one_counts_as_one(
    text: str, tokens: int
) -> None:
    assert count_tokens(text) == tokens
