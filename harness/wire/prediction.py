"""How much of a predicted reply came true."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import NamedTuple

from harness.provider.tokens import count_tokens

_WORD = re.compile(r"\s*\S+|\s+")


class Predicted(NamedTuple):
    """The tokens of a prediction, by what became of them."""

    accepted: int = 0
    """Those that are part of the reply, and took no time to generate."""
    rejected: int = 0
    """Those that are not, and are paid for."""


def compared(prediction: str, text: str) -> Predicted:
    """Compare a prediction with a reply, word by word.

    Args:
        prediction: What the request says that the reply will be.
        text: The reply.
    """
    if not prediction:
        return Predicted()
    foreseen, said = _WORD.findall(prediction), _WORD.findall(text)
    matcher = SequenceMatcher(None, foreseen, said, autojunk=False)
    same = "".join(
        "".join(foreseen[block.a : block.a + block.size]) for block in matcher.get_matching_blocks()
    )
    accepted = min(count_tokens(same), count_tokens(text))
    return Predicted(accepted, max(0, count_tokens(prediction) - accepted))
