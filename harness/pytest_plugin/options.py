"""Command-line options and settings of the configuration."""

from __future__ import annotations

import argparse

import pytest

ALLOW_UNMATCHED = "sim_allow_unmatched"
"""The ini option."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and the settings."""
    group = parser.getgroup("sim", "simulation of multi-agent programs")
    group.addoption(
        "--sim-seed", type=int, metavar="SEED", help="first seed of every simulated test"
    )
    group.addoption(
        "--sim-runs", type=int, metavar="N", help="how many seeds every simulated test is run with"
    )
    group.addoption(
        "--sim-store", metavar="FILE", help="write every simulated run to this DuckDB file"
    )
    texts = "write prompts and replies to that file too, without secrets"
    group.addoption("--sim-keep-texts", action="store_true", help=texts)
    group.addoption(
        "--sim-gate",
        metavar="DIR",
        help="compare tests that are marked sim_gate with their baselines in this folder",
    )
    group.addoption(
        "--sim-gate-update",
        action="store_true",
        help="write the baselines instead",
    )
    group.addoption(
        "--sim-gate-reason",
        metavar="TEXT",
        default="",
        help="why baselines change that are there already",
    )
    group.addoption(
        "--sim-gate-strict",
        action="store_true",
        help="fail if a test has no baseline",
    )
    group.addoption(
        "--sim-check",
        action="store_true",
        help="run every simulated test five times, in this process and in fresh ones, and compare",
    )
    group.addoption(
        "--sim-cassette-mode",
        choices=["none", "new", "all", "once", "drift"],
        default="none",
        help="what tests with @pytest.mark.sim(cassette=...) record from the real API; none otherwise",
    )
    group.addoption("--sim-digests", metavar="FILE", help=argparse.SUPPRESS)
    _add_search(group)
    _add_settings(parser)


def _add_search(group: pytest.OptionGroup) -> None:
    """What searches may spend, keep and run again."""
    group.addoption(
        "--sim-explore-budget",
        metavar="RUNS|SECONDSs",
        help="how much every sim.explore may spend: a number of runs, or real time such as 30s",
    )
    group.addoption(
        "--sim-explore-cases",
        metavar="DIR",
        help="keep what sim.explore finds in this folder, and run it first the next time",
    )
    group.addoption(
        "--sim-replay",
        metavar="TOKEN",
        help="let sim.explore run this finding again instead of searching",
    )


def _add_settings(parser: pytest.Parser) -> None:
    """What a project states for good, in its configuration."""
    parser.addini(
        "sim_keys",
        "provide made-up API keys from the beginning, for clients that are made when modules are imported",
        type="bool",
        default=False,
    )
    parser.addini(
        ALLOW_UNMATCHED,
        "let made-up agents answer calls that match none of the agents that a test describes",
        type="bool",
        default=False,
    )
    parser.addini(
        "sim_allow_hosts",
        "what a test with `sim` may connect to outside of runs, each as host or host:port",
        type="args",
        default=[],
    )
    parser.addini("sim_horizon_s", "virtual time that no simulated run may pass [s]; a week")
    parser.addini("sim_calls_per_task", "how many calls a simulated run may make; 10000")
    parser.addini(
        "sim_repeats_per_task", "how many calls in a row may bring a run nothing new; 150"
    )
    parser.addini(
        "sim_patch_early",
        "let modules that are imported find virtual clocks and entropy, for functions that they keep out of reach",
        type="bool",
        default=False,
    )
