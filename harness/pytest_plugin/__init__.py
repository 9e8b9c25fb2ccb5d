"""The pytest plugin: the fixture `sim`, its markers, the gate, and the reports of simulated tests.

pytest finds hooks and the fixture by their names here. Nothing heavy is imported before a test asks for the fixture.
"""

from harness.pytest_plugin.options import pytest_addoption
from harness.pytest_plugin.reports import (
    pytest_runtest_logreport,
    pytest_runtest_makereport,
    pytest_terminal_summary,
)
from harness.pytest_plugin.running import pytest_generate_tests, pytest_runtest_call, sim
from harness.pytest_plugin.session import (
    pytest_configure,
    pytest_load_initial_conftests,
    pytest_make_collect_report,
)

__all__ = [
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_load_initial_conftests",
    "pytest_make_collect_report",
    "pytest_runtest_call",
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "sim",
]
