"""Runs the examples and writes their pages: text, picture, output and source of each.

A picture that is newer than its example is reused, so only the first build takes long.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageOps

EXAMPLES = Path(__file__).parents[1] / "examples"
#: The examples in the order of the gallery, with their titles.
TITLES = {
    "fit_scipy_model": "Fit a model made of SciPy functions",
    "deblur": "Sharpen a photograph",
    "predator_prey": "Fit a differential equation",
    "gaussian_process": "Fit a Gaussian process",
    "achromat": "Design a lens",
    "filter_design": "Design a digital filter",
    "hmc": "Sample a posterior",
    "classifier": "Train a classifier",
    "digits_convnet": "Train a convolutional network",
}

#: Of the pictures of the overview, in pixels; each shows the middle of its picture.
SMALL = (480, 288)


def write_pages(folder: Path) -> None:
    """Write a page for each example, and one with all of them, into a folder."""
    folder.mkdir(exist_ok=True)
    cards = []
    for name, title in TITLES.items():
        summary, text = described(name)
        output = run(name, folder)
        small = folder / f"{name}-small.png"
        if not small.exists() or small.stat().st_mtime < (folder / f"{name}.png").stat().st_mtime:
            ImageOps.fit(Image.open(folder / f"{name}.png"), SMALL).save(small)
        page = [f"# {title}", summary, text, f"![The picture that the example draws]({name}.png)"]
        page += ["It prints:", f"```text\n{output}\n```"]
        page += ["The program:", f"```{{literalinclude}} ../../examples/{name}.py\n```"]
        write(folder / f"{name}.md", "\n\n".join(page))
        cards.append(
            f":::{{grid-item-card}} {title}\n:link: {name}\n:link-type: doc\n"
            f":img-top: {name}-small.png\n\n{summary}\n:::"
        )
    tree = "\n".join(TITLES)
    write(
        folder / "index.md",
        "# Gallery\n\nEach of these programs is a file in `examples`, computes on the CPU or on a "
        "GPU (`--device cuda`), and draws its picture in a few seconds.\n\n"
        "::::{grid} 1 2 2 3\n:gutter: 3\n\n" + "\n\n".join(cards) + "\n::::\n\n"
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```\n",
    )


def described(name: str) -> tuple[str, str]:
    """The first sentence of an example's docstring, and the paragraph about it."""
    doc = ast.get_docstring(ast.parse((EXAMPLES / f"{name}.py").read_text(encoding="utf-8")))
    summary, text, *_ = (doc or "").split("\n\n")
    return summary.replace("\n", " "), text


def run(name: str, folder: Path) -> str:
    """Run an example, which saves its picture in the folder; return its output."""
    example, picture = EXAMPLES / f"{name}.py", folder / f"{name}.png"
    printed = folder / f"{name}.txt"
    if not printed.exists() or printed.stat().st_mtime < example.stat().st_mtime:
        command = [sys.executable, example, "--picture", picture.name]
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, env=environment
        )
        if done.returncode:
            raise SystemExit(f"gallery: {name} failed\n{done.stdout}{done.stderr}")
        write(printed, "".join(done.stdout.splitlines(keepends=True)[:-1]))  # without the picture
    return printed.read_text(encoding="utf-8").rstrip()


def write(path: Path, text: str) -> None:
    """Write a file unless it already has this text, because Sphinx reads newer files again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
