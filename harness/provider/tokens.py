"""How many tokens a text has, when nobody says: by its length.

The simulator counts, limits and charges by one count, so that consistency matters more than exactness.
"""

from __future__ import annotations

CHARACTERS_PER_TOKEN = 4.0
"""English text: 4.09 characters a token were measured on replies of claude-sonnet-4-5, 3.35 on claude-sonnet-4-6."""


def count_tokens(text: str) -> int:
    """Estimate the number of tokens of a text; at least 1 for a text that is not empty."""
    return -(-len(text) // int(CHARACTERS_PER_TOKEN))
