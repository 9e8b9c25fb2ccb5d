"""Settings and attributes of `Sim` are checked by name."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.sim import Sim


@pytest.mark.parametrize("name", ["allow_unused", "alow_unmatched", "keep_texts", "agents"])
def test_attribute_that_would_have_no_effect_cannot_be_set(name: str) -> None:
    sim = Sim()
    with pytest.raises(HarnessError, match=f"sim.{name} = ...: there is nothing"):
        setattr(sim, name, True)
    sim.allow_unmatched = True
    sim.horizon_s = 20.0
