"""The report of ``python -m conformance gpu`` and its page, from the log of the steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .official import OUTCOMES, by_reason
from .report import table

Record = dict[str, Any]
Report = dict[str, Any]

#: Longer tables of parts are left out of the page.
MOST_PARTS = 20


def report(place: str, records: list[Record], titles: Mapping[str, str]) -> Report:
    """The results of each step that has begun, from the log."""
    about = records[0]
    steps = {}
    for name, title in titles.items():
        own = [record for record in records if record.get("step") == name]
        if own:
            steps[name] = summary(name, title, own)
    return {"device": place, "date": about["date"], **about["about"], "steps": steps}


def summary(name: str, title: str, records: list[Record]) -> Report:
    """Summarise a step: its state, and the outcomes of its tests or its figures."""
    ends = [record for record in records if "end" in record]
    tests = {record["test"]: record for record in records if "test" in record}
    figures: dict[str, dict[str, Any]] = {}
    for record in records:
        if "figure" in record:
            figures.setdefault(record["figure"], {})[record["of"]] = record["values"]
    state = ends[-1]["end"] if ends else "ended from outside"
    found: Report = {
        "title": title,
        "state": state,
        "seconds": round(sum(record["seconds"] for record in ends)),
    }
    if figures or not tests:
        return found | {"figures": figures}
    parts: dict[str, Counter[str]] = {}
    for test, record in tests.items():
        parts.setdefault(part(name, test), Counter())[record["outcome"]] += 1
    totals = sum(parts.values(), Counter[str]())
    found["totals"] = counted(totals)
    found["parts"] = {key: counted(counts) for key, counts in sorted(parts.items())}
    for outcome in ("failed", "error", "xpassed"):
        found[outcome] = {
            test: record["why"]
            for test, record in sorted(tests.items())
            if record["outcome"] == outcome
        }
    for outcome in ("skipped", "xfailed"):  # there are many; the reasons say more than the names
        whys = [record["why"] for record in tests.values() if record["outcome"] == outcome]
        found[outcome] = dict(Counter(whys).most_common())
    return found


def counted(counts: Mapping[str, int]) -> dict[str, int]:
    """The number of tests with each outcome."""
    return {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}


def part(step: str, test: str) -> str:
    """The part to which a test belongs: its subpackage, its device, or its file."""
    file, _, function = test.partition("::")
    if step == "scipy":
        return file.split("/")[1]
    if step == "gradients":
        return function.removesuffix("]").rpartition("-")[2]
    return Path(file).with_suffix("").as_posix().removeprefix("tests/").replace("test_", "")


def bad(step: Report) -> dict[str, str]:
    """The tests that failed, with the reasons."""
    return step.get("failed", {}) | step.get("error", {})


def missing(step: Report) -> list[str]:
    """The figures that could not be measured."""
    return [
        f"{of}, {who}: {value}"
        for rows in step.get("figures", {}).values()
        for of, values in rows.items()
        for who, value in values.items()
        if isinstance(value, str)
    ]


# --- the page


def page(found: Report, expected: Report | None) -> str:
    """The page; `expected` is the report of the emulated GPU, to compare with a real one."""
    setting = [f"{name} {value}" for name, value in found["versions"].items()]
    parts = [
        f"# Ten-minute check on `{found['device']}`",
        "Written by `python -m conformance gpu`. A step that was *stopped* at its time limit "
        "resumes when the command is run again.",
        "\n".join(f"- {line}" for line in [*setting, found["platform"], found["date"]]),
    ]
    if rows := [line(step) for step in found["steps"].values() if "totals" in step]:
        parts.append(table(["Step", "State", "Seconds", *OUTCOMES.values()], rows))
    for name, step in found["steps"].items():
        parts.append(f"## {step['title']}")
        if "figures" in step:
            parts += benchmarks(step)
            continue
        if len(step["parts"]) <= MOST_PARTS:
            rows = [[key, *counts.values()] for key, counts in step["parts"].items()]
            parts.append(table(["Part", *OUTCOMES.values()], rows))
        if expected and name in expected["steps"]:
            parts += compared(step, expected["steps"][name])
        else:
            parts += by_reason("Failed", bad(step))
    return "\n\n".join(parts) + "\n"


def line(step: Report) -> list[object]:
    """How a step of tests ended."""
    return [step["title"], step["state"], step["seconds"], *step["totals"].values()]


def compared(step: Report, expected: Report) -> list[str]:
    """The failures, compared with those on the emulated GPU."""
    here, there = bad(step), bad(expected)
    counts = [["here", *step["totals"].values()], ["emulated", *expected["totals"].values()]]
    so_far = "" if step["state"] == "done" else " so far"
    return [
        table(["GPU", *OUTCOMES.values()], counts),
        *by_reason("Failed only here", {t: here[t] for t in here if t not in there}),
        *by_reason("Failed as on the emulated GPU", {t: here[t] for t in here if t in there}),
        *by_reason(
            f"Failed on the emulated GPU, but not here{so_far}",
            {t: there[t] for t in there if t not in here},
        ),
    ]


def benchmarks(step: Report) -> list[str]:
    """A table for each kind of figure, and what could not be measured."""
    state = step["state"]  # (the rest may be commands, which are copied unchanged)
    parts = [f"{state[:1].upper()}{state[1:]}; {step['seconds']} seconds."]
    for title, rows in step["figures"].items():
        names = list(dict.fromkeys(who for values in rows.values() for who in values))
        cells = [[of, *(number(values.get(who)) for who in names)] for of, values in rows.items()]
        parts += [f"### {title}", table([title.partition(",")[0], *names], cells)]
    if failures := missing(step):
        parts += ["### Not measured", "\n".join(f"- {text}" for text in failures)]
    return parts


def number(value: Any) -> str:
    """A figure in a table."""
    return f"{value:.4g}" if isinstance(value, int | float) else "-"
