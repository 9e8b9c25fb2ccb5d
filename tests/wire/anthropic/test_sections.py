"""What a model reads of a message is the same however its content is written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.wire.anthropic.tokens import sections_of


@given(st.sampled_from(["user", "assistant", "system"]), st.text(min_size=1))
def test_text_and_one_block_of_text_are_the_same_section(role: str, text: str) -> None:
    short = sections_of({"messages": [{"role": role, "content": text}]})
    block = {"type": "text", "text": text}
    assert short == sections_of({"messages": [{"role": role, "content": [block]}]})
