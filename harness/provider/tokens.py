"""Estimated token count of a text, from its length.

The simulator counts, limits and charges by one count, so that consistency matters more than exactness.
"""

from __future__ import annotations

CHARACTERS_PER_TOKEN = 4.0
"""English text: 4.09 characters a token were measured on replies of claude-sonnet-4-5, 3.35 on claude-sonnet-4-6."""


def count_tokens(text: str) -> int:
    """Estimate the number of tokens of a text; at least 1 for a text that is not empty."""
    return -(-len(text) // int(CHARACTERS_PER_TOKEN))


def count_call_tokens(tool: str, arguments: str, frame_tokens: int) -> int:
    """Estimate the number of tokens of a tool call.

    Args:
        tool: The tool's name.
        arguments: Its arguments as JSON; an empty object is part of the frame.
        frame_tokens: What every call has beside [tokens].
    """
    given = "" if arguments.strip() in ("", "{}") else arguments
    return frame_tokens + count_tokens(tool) + count_tokens(given)
