"""A cap on what calls of real APIs may cost, which holds however many of them are under way."""

from __future__ import annotations

from harness.models.api import ModelError

SPENDING_CAP = "spending_cap"
"""The error of a call that was not made, because it could have cost more than what is left."""

_PAYMENT_REQUIRED = 402
"""Its status; policies do not retry it."""


class SpendingCapError(ModelError):
    """A call was not made, because it could have cost more than what is left.

    Args:
        worst_usd: What it could have cost [USD].
        left_usd: What is left [USD].
    """

    def __init__(self, worst_usd: float, left_usd: float) -> None:
        super().__init__(
            SPENDING_CAP,
            _PAYMENT_REQUIRED,
            f"the call may cost up to ${worst_usd:.4f}, and ${left_usd:.4f} of the cap is left",
        )


class Purse:
    """What may be spent. A call reserves the most that it can cost, and settles what it did cost; so the cap holds at any moment.

    It is used in one thread: nothing may come between the check and the reservation.

    Args:
        cap_usd: The cap [USD].
    """

    def __init__(self, cap_usd: float) -> None:
        self.cap_usd = cap_usd
        self.spent_usd = 0.0
        """What was settled [USD]."""
        self.reserved_usd = 0.0
        """What calls that are under way can cost at most [USD]."""
        self.refused = 0
        """How many calls were not made."""

    @property
    def left_usd(self) -> float:
        """What can still be reserved [USD]."""
        return max(0.0, self.cap_usd - self.spent_usd - self.reserved_usd)

    def reserve(self, worst_usd: float) -> None:
        """Put aside the most that a call can cost; `settle` comes after it, however the call ends.

        Raises:
            SpendingCapError: So much is not left.
        """
        if self.spent_usd + self.reserved_usd + worst_usd > self.cap_usd:
            self.refused += 1
            raise SpendingCapError(worst_usd, self.left_usd)
        self.reserved_usd += worst_usd

    def settle(self, worst_usd: float, cost_usd: float) -> None:
        """Give back what was put aside, and note what the call did cost [USD]."""
        self.reserved_usd -= worst_usd
        self.spent_usd += cost_usd
