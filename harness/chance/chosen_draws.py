"""Draws of a recorded run: each value may be overridden, and all are recorded."""

from __future__ import annotations

from harness.chance.choices import Choices
from harness.chance.draws import Draws
from harness.errors import HarnessError


class ChosenDraws(Draws):
    """Draws of a recorded run.

    Args:
        seed: The one integer that all values follow from that are not overridden.
        choices: The overrides, and the record.
    """

    def __init__(self, seed: int, choices: Choices) -> None:
        super().__init__(seed)
        choices.begin()
        self.choices: Choices = choices

    def uniform(self, *key: object) -> float:
        """Draw a value; see `Draws.uniform`."""
        value: float = self.choices.choose(("draw", *map(str, key)), super().uniform(*key))
        return value

    def octets(self, count: int, *key: object) -> bytes:
        """Draw bytes; see `Draws.octets`.

        Raises:
            HarnessError: The override has another length.
        """
        whole = ("bytes", *map(str, key))
        value: bytes = self.choices.choose(whole, super().octets(count, *key))
        if len(value) != count:
            raise HarnessError(
                f"override of {whole}: {count} bytes are asked for, not {len(value)}"
            )
        return value

    def root(self, *key: object) -> str:
        """Return the text that identifiers are derived from; see `Draws.root`."""
        value: str = self.choices.choose(("ids", *map(str, key)), super().root(*key))
        return value


def draws_of(seed: int | Draws, choices: Choices | None) -> Draws:
    """Return the draws of a run.

    Args:
        seed: The seed, or draws that were already made.
        choices: The object that overrides and records choices; None means none.
    """
    draws = Draws.of(seed)
    return draws if choices is None else ChosenDraws(draws.seed, choices)
