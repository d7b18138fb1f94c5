"""Errors of SciPy's and scikit-learn's functions, with and without their switches."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import arraygrad
from arraygrad import autodiff

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
CLEAN = {name: x for name, x in os.environ.items() if name != "SCIPY_ARRAY_API"}
SCIPY_SWITCH = 'os.environ["SCIPY_ARRAY_API"] = "1" before the first import of SciPy'
SKLEARN_SWITCH = "sklearn.set_config(array_api_dispatch=True)"

PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[2])
from arraygrad import _device
_device._BACKENDS["strict"] = "strict_backend"
import numpy as np
import arraygrad as xp
from scipy import fft, interpolate, signal, special, stats
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
LATE
tensors = {
    "plain": xp.asarray([0.5, 1.0, 2.0]),
    "elsewhere": xp.asarray([0.5, 1.0, 2.0], device="strict:1"),
    "traced": xp.asarray([0.5, 1.0, 2.0]).requires_grad_(),
}
x = tensors[sys.argv[1]]
for code in sys.stdin.read().splitlines():
    try:
        print(type(eval(code)).__name__)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
"""

#: Calls, what names them in the error, and what they give for a plain tensor.
CALLS = [
    ("special.logsumexp(x)", "scipy.special.logsumexp", "float64"),
    ("special.softmax(x)", "scipy.special.softmax", "ndarray"),
    ("special.gamma(x)", "for functions of SciPy", "Tensor"),
    ("stats.zscore(x)", "scipy.stats.zscore", "ndarray"),
    ("stats.ttest_1samp(x, 1.0).pvalue", "scipy.stats.ttest_1samp", "float64"),
    ("stats.norm.pdf(x)", "scipy.stats.norm.pdf", "ndarray"),
    ("fft.fft(x)", "scipy.fft.fft", "ndarray"),
    ("signal.lfilter(x, x, x)", "scipy.signal.lfilter", "ndarray"),
    ("interpolate.CubicSpline(x, x)(x)", "scipy.interpolate.CubicSpline", "ndarray"),
    ("StandardScaler().fit_transform(x[:, None])", "sklearn.preprocessing.StandardScaler.fit",
     "ndarray"),
    ("r2_score(x, x)", "sklearn.metrics.r2_score", "float"),
    ("np.cbrt(x)", "for functions of SciPy", "Tensor"),
]  # fmt: skip


def answers(kind, late="", **environment):
    """What the calls give or raise for a tensor of a kind, in a process of its own."""
    program = PROGRAM.replace("LATE", late)
    run = subprocess.run(
        [sys.executable, "-c", program, kind, str(ROOT / "tests")],
        input="\n".join(code for code, *_ in CALLS),
        capture_output=True, text=True, check=False, env=CLEAN | environment,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_without_their_switches_plain_tensors_give_numpys_arrays():
    assert answers("plain") == [result for *_, result in CALLS]


@pytest.mark.parametrize(
    ("kind", "error"), [("elsewhere", "TransferError"), ("traced", "NotDifferentiableError")]
)
def test_without_their_switches_libraries_are_named_and_the_switch_too(kind, error):
    for answer, (code, name, _) in zip(answers(kind), CALLS, strict=True):
        assert answer.startswith(f"{error}: __array__: "), (code, answer)
        assert name in answer
        assert SCIPY_SWITCH in answer
        assert (SKLEARN_SWITCH in answer) == name.startswith("sklearn")


def test_a_switch_that_is_set_after_the_import_counts_as_unset():
    late = answers("traced", late='os.environ["SCIPY_ARRAY_API"] = "1"')
    assert SCIPY_SWITCH in late[0]


def test_with_scipys_switch_only_that_of_scikit_learn_is_missing():
    found = answers("traced", SCIPY_ARRAY_API="1")
    assert not any(SCIPY_SWITCH in answer for answer in found)
    assert [SKLEARN_SWITCH in answer for answer in found] == [
        name.startswith("sklearn") for _, name, _ in CALLS
    ]


def test_functions_without_array_api_support_are_named_with_the_table():
    from scipy import interpolate, optimize, signal, stats
    from scipy.spatial import distance

    x = arraygrad.asarray([0.5, 1.0, 2.0]).requires_grad_()
    lost = "the gradient would be lost, because "
    for call, name in (
        (lambda: stats.norm.pdf(x), "scipy.stats.norm.pdf"),
        (lambda: signal.lfilter(x, x, x), "scipy.signal.lfilter"),
        (lambda: interpolate.CubicSpline(x, x), "scipy.interpolate.CubicSpline"),
        (lambda: distance.pdist(x[:, None]), "scipy.spatial.distance.pdist"),
    ):
        with pytest.raises(autodiff.NotDifferentiableError, match=f"write arraygrad.{name}$"):
            call()
    for call, name in (
        (lambda: interpolate.Akima1DInterpolator(x, x), "scipy.interpolate.Akima1DInterpolator"),
        (lambda: optimize.brentq(lambda t: t - x[0], 0.0, 2.0), "scipy.optimize.brentq"),
    ):
        with pytest.raises(autodiff.NotDifferentiableError) as caught:
            call()
        message = str(caught.value)
        assert f"{lost}{name} computes with NumPy arrays" in message
        assert "docs/differentiable-scipy.md lists" in message
        assert "SCIPY_ARRAY_API" not in message
    assert (ROOT / "docs" / "differentiable-scipy.md").exists()
    y = arraygrad.asarray([0.5, 1.0, 2.0], device="strict:1")
    with pytest.raises(arraygrad.TransferError, match=r"scipy\.signal\.medfilt .*/array_api\.html"):
        signal.medfilt(y)


def test_users_functions_that_a_library_calls_are_not_taken_for_the_library():
    import numpy as np
    from scipy import optimize

    w = arraygrad.asarray(1.0).requires_grad_()
    with pytest.raises(autodiff.NotDifferentiableError, match="instead of NumPy's") as caught:
        optimize.minimize_scalar(lambda t: np.sin(w) * t)
    assert "scipy" not in str(caught.value)


FRONT = ["README.md", "docs/index.md", "docs/scipy.md", "docs/scikit-learn.md"]


@pytest.mark.parametrize("page", FRONT)
def test_front_pages_run_in_a_new_interpreter(page, tmp_path):
    # (A fence would be read as expected output.)
    text = re.sub("^```.*$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    snippets = tmp_path / "page.md"
    snippets.write_text(text, encoding="utf-8")
    options = ["-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE"]
    run = subprocess.run(
        [sys.executable, "-m", "doctest", *options, snippets],
        capture_output=True, text=True, check=False, env=CLEAN,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("page", FRONT[:3])
def test_the_first_snippet_that_uses_scipy_can_be_pasted_alone(page):
    _, *blocks = (ROOT / page).read_text(encoding="utf-8").split("```python\n")
    first = next(b for b in blocks if "scipy" in b).partition("```")[0]
    typed = [line[4:] for line in first.splitlines() if line[:3] in (">>>", "...")]
    run = subprocess.run(
        [sys.executable, "-"], input="\n".join(typed),
        capture_output=True, text=True, check=False, env=CLEAN,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
