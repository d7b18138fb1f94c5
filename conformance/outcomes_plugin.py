"""A pytest plugin that writes each outcome to a file at once, and skips tests that are in it.

So a run that is stopped loses nothing, and the next run continues it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from textwrap import shorten
from typing import Any

import pytest

#: Lines of JSON are added to the one; the other has the names of the tests to leave out. It is
#: not the same file, since workers that start late must find what the others found.
LOG = os.environ.get("ARRAYGRAD_OUTCOMES", "")
BEFORE = os.environ.get("ARRAYGRAD_OUTCOMES_BEFORE", "")
STEP = os.environ.get("ARRAYGRAD_OUTCOMES_STEP", "")

#: Characters of a traceback that are written.
TRACE = 3000


def pytest_configure(config: Any) -> None:
    """Write in the process that receives the reports of all tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Writer())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Deselect the tests that have an outcome."""
    before = set(json.loads(Path(BEFORE).read_text(encoding="utf-8")))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in before])
    items[:] = [item for item in items if item.nodeid not in before]


class Writer:
    """Combines the reports on a test's setup, call and teardown to one outcome."""

    def __init__(self) -> None:
        self.open: dict[str, dict[str, str]] = {}

    def pytest_collectreport(self, report: Any) -> None:
        """Record an error under the name of a file that cannot be loaded."""
        if report.failed:
            self.write(report.nodeid, {"outcome": "error", "why": reason(report)})

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the outcome of a stage; after the last stage, write it."""
        found = outcome(report)
        if found != "passed" or report.when == "call":
            why = "" if found == "passed" else reason(report)
            self.open[report.nodeid] = {"outcome": found, "why": why}
            if found in ("failed", "error"):
                self.open[report.nodeid]["trace"] = report.longreprtext[-TRACE:]
        if report.when not in ("setup", "call"):  # of a worker that crashed, xdist says "???"
            self.write(report.nodeid, self.open.pop(report.nodeid, {}))

    def write(self, test: str, found: dict[str, str]) -> None:
        """Add a line, although the last line may be incomplete."""
        line = {"step": STEP, "test": test} | found
        with open(LOG, "a", encoding="utf-8") as log:
            log.write("\n" + json.dumps(line))


def outcome(report: Any) -> str:
    """The outcome of one stage, in pytest's words."""
    if hasattr(report, "wasxfail"):
        return {"skipped": "xfailed", "passed": "xpassed"}.get(report.outcome, report.outcome)
    if report.outcome == "failed" and report.when in ("setup", "teardown"):
        return "error"
    return str(report.outcome)


def reason(report: Any) -> str:
    """Reason why a test did not pass, in one line."""
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail).removeprefix("reason: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    if not crash:  # the error comes last
        text = text.strip().rpartition("\n")[2].removeprefix("E ")
    return shorten(text, 200)
