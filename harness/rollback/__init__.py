"""State of a program's modules and classes between runs: found, copied and restored.

Read `fresh.py` (modules that are imported anew), then `state.py` (what stays loaded gets its contents back) and `reach.py`
(which objects can be reached from a module). A run depends on nothing that a run before it has left behind.
"""
