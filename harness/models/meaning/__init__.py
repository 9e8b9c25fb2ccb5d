"""What replies mean, without a model: claims that are true or false, and how they pass from agent to agent.

Read `claims.py`, then `mind.py`.
"""

from __future__ import annotations

from harness.models.meaning.ledger import Ledger
from harness.models.meaning.mind import Mind
from harness.models.meaning.traced import InjectedCall, TracedClaim
from harness.models.meaning.traits import Traits, is_right

__all__ = [
    "InjectedCall",
    "Ledger",
    "Mind",
    "TracedClaim",
    "Traits",
    "is_right",
]
