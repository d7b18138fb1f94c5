"""Programs as source: they can be read, and run where only NumPy is."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compile.support import M, X, Y, bits, normal

import arraygrad as xp
from arraygrad import autodiff, nn, optim

W = normal(5, 3, seed=7)
LABELS = xp.asarray([0, 2, 1, 0])


def logistic(w, x):
    return xp.mean(xp.logaddexp(xp.zeros(()), -(x @ w)))


def newton(x):
    for _ in range(5):
        x = x - (x * x - 2) / (2 * x)
    return x


def written(x):
    y = xp.zeros(5)
    for i in range(5):
        y[i] = x[i] * i
    y[1:] += y[:-1]
    return y


def modules(x):
    return nn.silu(x) + nn.softmax(x, axis=-1)


def softmax(x):
    x = x - xp.max(x)
    return xp.sum(x * xp.log(xp.sum(xp.exp(x), axis=1))[:, None])


def in_single_precision(x):
    """Functions of several modules, which have definitions of the same name."""
    y = nn.softmax(nn.layer_norm(nn.gelu(x), x.shape[-1:]), axis=-1)
    z = nn.log_softmax(nn.softplus(x) + nn.silu(x), axis=-1)
    return xp.sum(y * z * xp.special.erf(x)) + nn.cross_entropy(x, LABELS)


WIDE = normal(60, 50)
SINGLE = xp.astype(normal(4, 3000), xp.float32)

OFFSET = xp.asarray([1.0, 2.0, 3.0, 4.0, 5.0])

#: Function, and its arguments.
FUNCTIONS = {
    "gradient": (autodiff.value_and_grad(logistic), (X, M)),
    "in_place": (autodiff.grad(lambda x: xp.sum(written(x) ** 2)), (X,)),
    "hvp": (lambda x, v: autodiff.hvp(lambda x: xp.sum(xp.tanh(x) ** 3), (x,), (v,)), (X, Y)),
    "jvp": (lambda x, v: autodiff.jvp(newton, (x,), (v,)), (xp.abs(X) + 1, Y)),
    "hessian": (autodiff.hessian(lambda x: xp.sum(xp.exp(x) * x)), (X,)),
    "special_values": (
        lambda x: (x // 0.3, x % 0.7, xp.abs(x) ** 0.5, xp.sign(x), xp.expm1(x)),
        (X,),
    ),
    "cross_entropy": (autodiff.grad(lambda w, x: nn.cross_entropy(x @ w, LABELS)), (W, M)),
    "softmax": (autodiff.value_and_grad(softmax), (M,)),
    "large": (autodiff.value_and_grad(softmax), (normal(300, 1000),)),
    "constants": (lambda x: {"y": x * OFFSET, "n": [3, x @ OFFSET]}, (X,)),
    "linear_algebra": (autodiff.grad(lambda x: xp.linalg.det(x.T @ x + xp.eye(5))), (M,)),
    "layers": (autodiff.grad(lambda x: xp.sum(modules(x) ** 2)), (M,)),
    "activations": (lambda x: (nn.gelu(x), nn.silu(x), nn.softplus(x)), (SINGLE,)),
    "error_function": (xp.special.erf, (SINGLE,)),
    "single_precision": (autodiff.value_and_grad(in_single_precision), (SINGLE,)),
    "repeated_constant": (autodiff.grad(lambda x: xp.sum(nn.softmax(x, axis=-1))), (WIDE,)),
    "sorting": (lambda x: (xp.sort(x, descending=True), xp.argsort(x), xp.cumulative_sum(x)), (X,)),
    "random": (lambda x: x + xp.random.default_rng(0).normal(size=5), (X,)),
}

#: Runs where only NumPy and the standard library are: without site-packages and user settings.
RUN = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/packages"]
try:
    import arraygrad
except ImportError:
    pass
else:
    raise SystemExit("arraygrad is there")
import numpy as np
import program
[function] = [f for k, f in vars(program).items() if k == sys.argv[2]]
given = np.load(sys.argv[1] + "/given.npz")
out = function(*[given[k] for k in given])
leaves = []
def visit(x):
    if isinstance(x, (tuple, list)):
        [visit(y) for y in x]
    elif isinstance(x, dict):
        [visit(x[k]) for k in sorted(x)]
    elif isinstance(x, (np.ndarray, np.generic)):
        leaves.append(np.asarray(x))
visit(out)
np.savez(sys.argv[1] + "/found.npz", *leaves)
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_exported_program_runs_with_numpy_alone(name, tmp_path):
    function, args = FUNCTIONS[name]

    def exported(*args):
        return function(*args)

    compiled = xp.compile(exported)
    compiled.export(tmp_path / "program.py", *args)
    np.savez(tmp_path / "given.npz", *[x.numpy() for x in args])
    (tmp_path / "packages").mkdir()
    for folder in (Path(np.__file__).parent, Path(np.__file__).parents[1] / "numpy.libs"):
        (tmp_path / "packages" / folder.name).symlink_to(folder)
    command = [sys.executable, "-I", "-S", "-c", RUN, str(tmp_path), "exported"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "found.npz")
    arrays = [found[k] for k in found]
    want = [x for x in bits(compiled(*args)) if isinstance(x, tuple)]
    assert [(x.shape, str(x.dtype), x.tobytes()) for x in arrays] == want


def test_what_has_been_loaded_of_scipy_before_is_no_part_of_an_export(tmp_path):
    xp.special.ndtr(xp.ones(3))
    xp.special.erf(xp.ones(3))
    compiled = xp.compile(nn.gelu)
    x = xp.asarray([1.0, -2.0], dtype=xp.float32)
    compiled.export(tmp_path / "gelu.py", x)
    text = (tmp_path / "gelu.py").read_text()
    assert "nn_gelu" in text
    found: dict[str, object] = {"__file__": str(tmp_path / "gelu.py")}
    exec(text, found)
    np.testing.assert_array_equal(found["gelu"](x.numpy()), compiled(x).numpy())


@pytest.mark.parametrize("name", ["constant", "by_formula", "fill", "nn_gelu", "_exp", "FORMULAS"])
def test_an_exported_function_may_have_the_name_of_what_it_uses(name, tmp_path):
    def f(x):
        return nn.gelu(x) * xp.asarray([1.0, 2.0, 3.0, 4.0], dtype=xp.float32)

    f.__name__ = f.__qualname__ = name
    x = xp.astype(normal(3, 4), xp.float32)
    compiled = xp.compile(f)
    compiled.export(tmp_path / "program.py", x)
    module = runpy.run_path(str(tmp_path / "program.py"))
    assert bits(xp.asarray(module[name](x.numpy()))) == bits(f(x))


def test_the_source_has_the_users_names_and_lines():
    def f(x, y):
        total = x * y
        return xp.sum(total)

    text = xp.compile(f).source(X, Y)
    assert "def f(x, y):" in text
    assert "    total = x * y  # test_export.py:" in text
    assert "arraygrad" not in text


def test_the_source_of_a_training_step_is_shown_without_being_exportable():
    w = X.__copy__().requires_grad_()
    opt = optim.SGD([w], lr=0.1)

    def step(x):
        opt.zero_grad()
        loss = xp.sum(w * x)
        loss.backward()
        opt.step()
        return loss.detach()

    f = xp.compile(step)
    text = f.source(Y)
    assert "SGD" in text
    with pytest.raises(TypeError, match="export: the program calls"):
        f.export("program.py", Y)


def test_what_cannot_be_exported_is_refused(tmp_path):
    rng = xp.random.default_rng(0)
    with pytest.raises(TypeError, match="random generator from outside"):
        xp.compile(lambda x: x + rng.normal(size=5)).export(tmp_path / "p.py", X)
    with pytest.raises(TypeError, match="not NumPy"):
        xp.compile(lambda x: nn.gelu(x)).export(tmp_path / "p.py", X)
    with pytest.raises(ValueError, match=r"must end in \.py"):
        xp.compile(lambda x: x).export(tmp_path / "p.txt", X)
    assert not list(tmp_path.iterdir())


def test_explain_tells_what_was_recorded_and_run():
    f = xp.compile(lambda x: xp.sin(x) * 1 + xp.sin(x))
    for _ in range(3):
        f(X)
    text = f.explain()
    assert "float64[5]" in text
    assert "calls recorded" in text
    assert "run 2 times" in text
