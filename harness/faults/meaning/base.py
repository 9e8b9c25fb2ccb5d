"""What faults of meaning have in common: the reply comes as usual, and says or means something else."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Fault, Mislead


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningFault(Fault):
    """A fault of what is read or said. The bytes are sound: no client, no schema and no status tells of it."""

    def verdict(self) -> Mislead:
        """How the attempt is misled."""
        raise NotImplementedError
