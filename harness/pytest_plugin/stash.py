"""What the hooks of the plugin keep with pytest's own objects, for one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.gate.in_pytest import SessionGate
    from harness.sim import Sim
    from harness.virtual.outside import ClosedNetwork

GATE: pytest.StashKey[SessionGate] = pytest.StashKey()
"""The gate of the session, if it is asked for."""

SIMULATION: pytest.StashKey[Sim] = pytest.StashKey()
"""The simulation of a test, from the set-up of its fixture to the report of its teardown."""

NETWORK: pytest.StashKey[ClosedNetwork] = pytest.StashKey()
"""What it refused outside of runs."""
