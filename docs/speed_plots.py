"""Draws the plots of the page on speed from the figures in benchmarks/results."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"

#: Names, colours and markers of the libraries, in the order of the legends. The colours are visible
#: on white and on black, and can be told apart by the colour-blind.
LIBRARIES = {
    "numpy": ("NumPy", "#8a8f98", "s"),
    "NumPy by hand": ("NumPy, by hand", "#8a8f98", "s"),
    "ours": ("arraygrad", "#d55e00", "D"),
    "ours, backward": ("arraygrad, backward", "#d55e00", "D"),
    "ours, grad": ("arraygrad, grad", "#e69f00", "D"),
    "torch": ("PyTorch", "#0093d0", "o"),
    "PyTorch": ("PyTorch", "#0093d0", "o"),
    "strict": ("array-api-strict", "#b07cc6", "v"),
    "HIPS autograd": ("HIPS autograd", "#b07cc6", "v"),
    "jax": ("JAX", "#009e73", "^"),
    "JAX": ("JAX", "#009e73", "^"),
    "JAX, jit": ("JAX, compiled", "#56c596", "<"),
}
TEXT = "#010203"  # replaced by the page's text colour

Rows = dict[str, dict[str, float]]


def write_plots(folder: Path) -> None:
    """Write one SVG for each section of the page."""
    folder.mkdir(exist_ok=True)
    for name, svg in plots(RESULTS).items():
        path = folder / f"{name}.svg"
        if not path.exists() or path.read_text(encoding="utf-8") != svg:  # else it is not new
            path.write_text(svg, encoding="utf-8")


def plots(results: Path) -> dict[str, str]:
    """The plots by name."""

    def figures(name: str) -> Any:
        return json.loads((results / f"{name}.json").read_text(encoding="utf-8"))

    milliseconds = "milliseconds; to the left is faster"
    sizes = figures("dropin")["microseconds and ratios"]
    return {
        "overhead": dots(
            figures("overhead")["microseconds"],
            "microseconds for an operation on three elements; to the left is faster",
        ),
        "large": dots(
            relative(figures("large")["milliseconds"]), "time on ten million elements, NumPy = 1"
        ),
        **{
            f"dropin-{size}": dots(
                {name: {**row, "numpy": 1.0} for name, row in rows.items()},
                f"time with {int(size):,} elements, NumPy arrays = 1",
            )
            for size, rows in sizes.items()
        },
        "gradients": dots(figures("gradients")["milliseconds"], milliseconds),
        "training": dots(figures("training")["milliseconds"], milliseconds),
    }


def relative(rows: Rows) -> Rows:
    """Times as multiples of NumPy's."""
    return {
        name: {who: time / row["numpy"] for who, time in row.items()} for name, row in rows.items()
    }


def dots(rows: Rows, label: str) -> str:
    """An SVG for a page: a line for each row, with a mark for each library."""
    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": label,
        "font.family": "sans-serif",
        "font.size": 9,
        **dict.fromkeys(
            ["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], TEXT
        ),
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(6.4, 0.9 + 0.21 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for who, (name, colour, marker) in LIBRARIES.items():
            points = [(row[who], i) for i, row in enumerate(rows.values()) if who in row]
            if points:
                # Ours are larger and below the others, so that all of them can be seen.
                order, size = (2, 6.5) if name.startswith("arraygrad") else (3, 4)
                axes.plot(
                    *zip(*points, strict=True),
                    marker=marker,
                    markersize=size,
                    linestyle="none",
                    color=colour,
                    label=name,
                    zorder=order,
                )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        low, high = axes.get_xlim()
        if high < 100 * low:  # powers of ten are too few marks
            steps = (1, 2, 5) if high > 5 * low else (1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8)
            marks = [step * 10**power for power in range(-4, 5) for step in steps]
            axes.set_xticks([mark for mark in marks if low < mark < high])
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(label)
        axes.grid(axis="both", linewidth=0.4, alpha=0.5, color=TEXT)
        axes.tick_params(length=0, labeltop=len(rows) > 20)
        axes.spines[:].set_visible(False)
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    return for_a_page(drawn.getvalue(), label)


def for_a_page(svg: str, label: str) -> str:
    """An SVG without what applies to the page around it, in the page's text colour."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[\w.]+_\d+"', "", svg)
    svg = svg.replace(TEXT, "currentColor")
    return svg.replace("<svg ", f'<svg class="plot" role="img" aria-label="{label}" ', 1)
