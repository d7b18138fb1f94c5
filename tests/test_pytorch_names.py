"""The rows of docs/pytorch-names.md run, and give what PyTorch gives, where that is installed."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff, data, nn, optim

PAGE = Path(__file__).parents[1] / "docs" / "pytorch-names.md"
ROWS = re.findall(r"^\| `(.+)` \| `(.+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
NUMBERS = {
    "a": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    "b": np.arange(6.0).reshape(3, 2),
    "c": np.arange(24.0).reshape(2, 3, 4),
    "v": np.array([3.0, 1.0, 2.0]),
    "i": np.array([[2, 0, 1], [0, 0, 2]]),
    "j": np.array([2, 0]),
    "image": np.random.default_rng(0).standard_normal((2, 1, 8, 8)),
    "labels": np.array([2, 0]),
}


def run(text, names):
    """What the last of some statements gives; a `with` gives what its block does."""
    *first, last = ast.parse(text).body
    if isinstance(last, ast.With):
        exec(compile(ast.Module([*first, *_stored(last)], []), text, "exec"), names)
        return names["result"]
    exec(compile(ast.Module(first, []), text, "exec"), names)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), text, "exec"), names)
        return None
    return eval(compile(ast.Expression(last.value), text, "eval"), names)


def _stored(block):
    (inner,) = block.body
    target = ast.Name("result", ast.Store())
    block.body = [ast.Assign([target], inner.value)]
    return [ast.fix_missing_locations(block)]


def ours(path):
    names = {name: xp.asarray(x, copy=True) for name, x in NUMBERS.items()}
    rng = xp.random.default_rng(0)
    return names | {
        "xp": xp, "np": np, "nn": nn, "optim": optim, "data": data, "autodiff": autodiff,
        "n": np.arange(3.0), "rng": rng, "path": path,
        "w": autodiff.variable(xp.asarray([1.0, 2.0])),
        "net": nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(4, 2, rng=rng)),
    }  # fmt: skip


def theirs(torch, path):
    from torch.utils.data import DataLoader, TensorDataset

    names = {name: torch.from_numpy(x.copy()) for name, x in NUMBERS.items()}
    layers = torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)
    return names | {
        "torch": torch, "np": np, "nn": torch.nn, "optim": torch.optim, "n": np.arange(3.0),
        "path": path, "w": torch.tensor([1.0, 2.0], requires_grad=True),
        "net": torch.nn.Sequential(*layers),
        "DataLoader": DataLoader, "TensorDataset": TensorDataset,
    }  # fmt: skip


def plain(x):
    """A result of either library as NumPy's and Python's own."""
    if isinstance(x, xp.Tensor):
        return x.detach().numpy()
    if type(x).__module__.startswith("torch"):
        if hasattr(x, "detach"):
            return x.detach().numpy()
        if type(x).__name__ == "dtype":
            return np.dtype(str(x).removeprefix("torch."))
    return [plain(y) for y in x] if isinstance(x, (tuple, list)) else x


def marked(row):
    return pytest.param(*row, marks=pytest.mark.cuda if '"cuda' in row[1] else (), id=row[1])


def check(found, expected):
    if expected is None:  # PyTorch's call is for what it does
        return
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for x, y in zip(found, expected, strict=True):
            check(x, y)
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        assert found == expected


@pytest.mark.parametrize(("pytorch", "here"), [marked(row) for row in ROWS])
def test_row(pytorch, here, tmp_path):
    with xp.default_device("cpu"):  # which a row may change
        found = plain(run(here, ours(str(tmp_path / "ours"))))
    if find_spec("torch") is None or "cuda" in here or "manual_seed" in pytorch:
        return
    import torch

    torch.set_default_dtype(torch.float64)
    try:
        expected = plain(run(pytorch, theirs(torch, str(tmp_path / "theirs"))))
    finally:
        torch.set_default_dtype(torch.float32)
    if "rng." in here:  # of random numbers, what is the same
        found, expected = ([x.dtype, *x.shape] if hasattr(x, "dtype") else x
                           for x in (found, expected))  # fmt: skip
    check(found, expected)


def test_the_page_has_its_rows():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    heads = sum(line.startswith(("| PyTorch", "| ---")) for line in lines)
    assert len(ROWS) == len(lines) - heads > 100
