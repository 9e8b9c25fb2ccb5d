"""Whether cassettes are stale, told at the end of a session: a cassette may be used by several tests, each of which asks for a part.

A session in which tests were left out, or failed, cannot tell what nobody asks for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.sim import Sim

_SENT = "harness_cassettes"
"""What a worker of pytest-xdist sends to the main process."""

_USES: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
"""By absolute path: what tests used of a cassette."""

_TOLD: pytest.StashKey[list[str]] = pytest.StashKey()
"""Why cassettes are stale."""


def note_use(item: pytest.Item, simulation: Sim) -> None:
    """Note what a test that passed used of its cassette."""
    cassette = simulation.used_cassette
    if cassette is None:
        return
    cassette.end_test()
    if cassette.allow_unused:
        return
    from harness.cassettes.stale import Use

    path = str(Path(cassette.path).absolute())
    uses = item.config.stash.setdefault(_USES, {})
    uses.setdefault(path, Use(path)).add(cassette.use)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judge the cassettes, or send what was used of them to the process that does."""
    config = session.config
    uses = config.stash.get(_USES, {})
    if not uses:
        return
    if hasattr(config, "workeroutput"):
        config.workeroutput[_SENT] = {path: sorted(use.used) for path, use in uses.items()}
        return
    from harness.cassettes import CassetteError, load_cassette
    from harness.cassettes.stale import CACHE_KEY, stale

    unused: dict[str, list[int]] = {}
    told: list[str] = []
    for path, use in sorted(uses.items()):
        try:
            interactions = load_cassette(path).interactions
        except CassetteError:
            continue
        unused[path] = [one.number for one in interactions if one.number not in use.used]
        why = stale(use, interactions)
        if why is not None:
            told.append(why)
    if not _is_whole(session):
        return
    if config.pluginmanager.hasplugin("cacheprovider") and hasattr(config, "cache"):
        config.cache.set(CACHE_KEY, unused)
    if told:
        config.stash[_TOLD] = told
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _is_whole(session: pytest.Session) -> bool:
    """Whether every test of the files that were asked for has run and passed."""
    option = session.config.option
    narrowed = (
        option.keyword,
        option.markexpr,
        getattr(option, "lf", False),
        getattr(option, "stepwise", False),
    )
    return not (
        any(narrowed)
        or session.testsfailed
        or session.shouldstop
        or any("::" in each for each in session.config.args)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - of pytest-xdist
    """Take over what a worker used."""
    from harness.cassettes.stale import Use

    uses = node.config.stash.setdefault(_USES, {})
    for path, numbers in (getattr(node, "workeroutput", None) or {}).get(_SENT, {}).items():
        uses.setdefault(path, Use(path)).add(Use(path, set(numbers)))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:  # noqa: ANN401 - pytest's
    """Tell which cassettes are stale."""
    for told in config.stash.get(_TOLD, []):
        terminalreporter.section("stale cassette", red=True)
        terminalreporter.line(told)
