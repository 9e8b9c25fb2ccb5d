"""The far end: a SimPy model of an LLM provider.

Read `service.py` first; then what refuses (`limits.py`, `overload.py`), what takes time (`latency.py`) and what it costs
(`prices.py`). The provider decides when a reply comes, and whether; what it says is none of its business.
"""

from __future__ import annotations

from harness.provider.latency import Latency, Tail, latency_of, likely_latency_of
from harness.provider.limits import Limits
from harness.provider.overload import Outage, Overload
from harness.provider.prices import AnyPrices, Prices, prices_of
from harness.provider.service import Provider, Queue, Refusal, Served

__all__ = [
    "AnyPrices",
    "Latency",
    "Limits",
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
