"""Latency, sizes and errors of real calls, fitted to profiles that scenarios use.

`calls.py` is one measured call, `sources.py` reads them from cassettes, stores and tables, `spread.py` fits a spread, `fit.py` the
latency of a model, `goodness.py` says how well a fit holds, and `profile.py` is the file. Calls are fitted jointly: first token, time
per token and size of one call belong together, and drawn apart they overstate the tail.
"""

from __future__ import annotations
