"""The provider: a SimPy model of an LLM provider.

Read `service.py` first; then refusals (`limits.py`, `overload.py`), time (`latency.py`) and cost
(`prices.py`). The provider decides when a reply comes, and whether; it does not know its content.
"""

from __future__ import annotations

from harness.provider.latency import Latency, Tail, latency_of, likely_latency_of
from harness.provider.limits import Limits
from harness.provider.load import Load
from harness.provider.overload import Outage, Overload
from harness.provider.prices import AnyPrices, Prices, prices_of
from harness.provider.service import Provider, Queue, Refusal, Served

__all__ = [
    "AnyPrices",
    "Latency",
    "Limits",
    "Load",
    "Outage",
    "Overload",
    "Prices",
    "Provider",
    "Queue",
    "Refusal",
    "Served",
    "Tail",
    "latency_of",
    "likely_latency_of",
    "prices_of",
]
