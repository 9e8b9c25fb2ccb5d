"""Explore: search for the smallest bad luck that breaks a program, shrink it, and replay it.

`search.py` is the search, `portfolio.py` the order of its strategies, `properties` what is a failure, `shrink.py` makes a failing set of deviations
minimal. What is explored is behind the protocol `Subject` in `observation.py`.
"""
