"""What a program cannot repeat is refused, and named; nothing is silently wrong."""

import numpy as np
import pytest
from compile.support import X, Y, bits, copy, programs

import arraygrad as xp
from arraygrad import autodiff, nn, optim


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (lambda x: bool(xp.sum(x) > 0), "__bool__"),
        (lambda x: float(xp.sum(x)), "__float__"),
        (lambda x: int(xp.sum(x)), "__int__"),
        (lambda x: x[0].item(), "item"),
        (lambda x: x.tolist(), "tolist"),
        (lambda x: repr(x), "__repr__"),
        (lambda x: f"{x[0]:.3f}", "__format__"),
        (lambda x: list(range(5))[xp.asarray(2) + xp.astype(x[0] * 0, xp.int64)], "__index__"),
        (lambda x: xp.nonzero(x), "nonzero"),
        (lambda x: xp.unique_values(x), "unique_values"),
        (lambda x: x[x > 0], "mask"),
        (lambda x: xp.repeat(x, xp.astype(x > 0, xp.int64)), "repeat"),
    ],
)
def test_reading_values_raises_and_names_the_line(read, name):
    f = xp.compile(lambda x: (read(x), x)[1])
    with pytest.raises(TypeError, match=rf"compile: in .*test_refusals.py, line \d+.*{name}"):
        f(X)
    assert not programs(f)
    f = xp.compile(lambda x: (read(x), x * 2)[1], on_value="guard")
    for x in (X, Y, X, 2 * X):
        assert bits(f(x)) == bits(2 * x)


@pytest.mark.parametrize(
    ("leave", "name"),
    [
        (lambda x: x.numpy(), "numpy"),
        (lambda x: np.asarray(x), "__array__"),
        (lambda x: np.from_dlpack(x), "__dlpack__"),
        (lambda x: np.fft.fft(x), "__array__"),
    ],
)
@pytest.mark.parametrize("on_value", ["error", "guard"])
def test_handing_out_data_raises(leave, name, on_value):
    f = xp.compile(lambda x: (leave(x), x)[1], on_value=on_value)
    with pytest.raises(TypeError, match=f"compile: in .*{name} hands the data"):
        f(X)


def test_a_caught_error_is_an_error_all_the_same():
    def f(x):
        try:
            return x if x[0] > 0 else -x
        except TypeError:
            return x

    with pytest.raises(TypeError, match="__bool__"):
        xp.compile(f)(X)


def test_an_error_that_depends_on_values_must_not_be_caught():
    def f(x):
        try:
            return xp.linalg.cholesky(x)
        except np.linalg.LinAlgError:
            return x

    compiled = xp.compile(f)
    compiled(xp.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        compiled(-xp.eye(2))
    with pytest.raises(TypeError, match=r"catches the LinAlgError of linalg.cholesky"):
        xp.compile(f)(-xp.eye(2))


def test_branches_on_values_with_guards():
    def f(x):
        if xp.sum(x) > 0:
            return xp.sin(x)
        return x * float(x[0])

    compiled = xp.compile(f, on_value="guard")
    for x in (X, -X, X, Y, -Y, -X, X):
        assert bits(compiled(x)) == bits(f(x))
    assert "guard" not in compiled.explain() or "check values" in compiled.explain()


def test_too_many_programs_for_values_are_given_up():
    compiled = xp.compile(lambda x: x * float(x[0]), on_value="guard")
    for i in range(40):
        x = X + i
        assert bits(compiled(x)) == bits(x * float(x[0]))
    assert "not compiled" in compiled.explain()


def test_reading_after_a_write_to_the_outside_raises():
    def f(x):
        x += 1
        return x if x[0] > 0 else -x

    with pytest.raises(TypeError, match="after the function has written"):
        xp.compile(f, on_value="guard")(copy(X))


def test_python_state_of_modules_must_not_change():
    class Counting(nn.Module):
        def __init__(self):
            self.count = 0
            self.last = None

        def forward(self, x):
            self.count += 1
            return x * 2

    class Keeping(Counting):
        def forward(self, x):
            self.last = x * 2
            return self.last

    for make in (Counting, Keeping):
        with pytest.raises(TypeError, match=f"{make.__name__}.(count|last)"):
            xp.compile(make())(X)


def test_optimisers_are_made_outside():
    def f(x):
        optim.SGD([x], lr=0.1)
        return x

    with pytest.raises(TypeError, match="an optimiser is made inside"):
        xp.compile(f)(X)


def test_arguments_and_results_that_are_refused():
    f = xp.compile(lambda x, y: x)
    with pytest.raises(TypeError, match=r"must be tensors, numbers.*static_argnums.*asarray"):
        f(X, np.ones(3))
    with pytest.raises(TypeError, match="is a generator"):
        f(X, (i for i in range(3)))
    with pytest.raises(TypeError, match="must be tensors, numbers"):
        f(X, object())
    with pytest.raises(TypeError, match="must return tensors"):
        xp.compile(lambda x: object())(X)
    with pytest.raises(TypeError, match=r"static argument 1.*hashable.*got .3"):
        xp.compile(lambda x, y: x, static_argnums=1)(X, [3])
    with pytest.raises(
        TypeError, match=r"static argument 'y'.*tensor|static argument 'y'.*hashable"
    ):
        xp.compile(lambda x, *, y: x, static_argnames="y")(X, y=X)


def test_options_that_are_refused():
    with pytest.raises(TypeError, match="compile: expected a function; got 3"):
        xp.compile(3)
    with pytest.raises(ValueError, match="on_value must be 'error' or 'guard'; got 'warn'"):
        xp.compile(abs, on_value="warn")
    with pytest.raises(TypeError, match="static_argnums must be ints"):
        xp.compile(abs, static_argnums="x")
    with pytest.raises(ValueError, match="static_argnums must not be negative"):
        xp.compile(abs, static_argnums=-1)
    with pytest.raises(TypeError, match="static_argnames must be strings"):
        xp.compile(abs, static_argnames=[1])
    with pytest.raises(TypeError, match="static_argnames must be strings"):
        xp.compile(abs, static_argnames=2.0)

    def generator(x):
        yield x

    with pytest.raises(TypeError, match="generators and coroutines"):
        xp.compile(generator)


def test_static_arguments_have_programs_of_their_own():
    def f(x, kind, *, function):
        return function(x) if kind == "apply" else x

    compiled = xp.compile(f, static_argnums=1, static_argnames=["function"])
    for kind, function in (("apply", xp.sin), ("apply", xp.cos), ("none", xp.sin)):
        for _ in range(2):
            got = compiled(X, kind, function=function)
            assert bits(got) == bits(f(X, kind, function=function))
    assert len(programs(compiled)) == 3


def test_nothing_is_left_of_a_function_that_raises():
    fails = [True]

    def f(x):
        y = x * 2
        if fails:
            raise KeyError("no")
        return y

    compiled = xp.compile(f)
    with pytest.raises(KeyError):
        compiled(X)
    assert not programs(compiled)
    fails.clear()
    assert bits(compiled(X)) == bits(X * 2)
    assert bits(xp.sum(X)) == bits(xp.sum(X))


def test_an_error_of_a_program_names_the_operation_and_the_operands():
    f = xp.compile(lambda x, i: x[i] * 2)
    f(X, xp.asarray([0, 1]))
    with pytest.raises(IndexError, match=r"__getitem__: .*out of bounds.*; got Tensor"):
        f(X, xp.asarray([0, 9]))


def test_a_recursive_function():
    @xp.compile
    def power(x, n):
        return x if n == 0 else x * power(x, n - 1)

    assert bits(power(X, 3)) == bits(X * (X * (X * X)))
    assert bits(power(X, 3)) == bits(X * (X * (X * X)))


def test_methods_have_programs_for_each_object():
    class Scale:
        def __init__(self, w):
            self.w = w

        @xp.compile
        def __call__(self, x):
            return self.w * x

        @xp.compile
        def apply(self, x):
            return self.w + x

    a, b = Scale(X), Scale(Y)
    for _ in range(2):
        assert bits(a.apply(X)) == bits(X + X)
        assert bits(b.apply(X)) == bits(Y + X)
        assert bits(a(X)) == bits(X * X)


def test_labels_that_are_out_of_range_raise_as_outside():
    f = xp.compile(lambda x, y: nn.cross_entropy(x, y))
    x = xp.reshape(xp.linspace(0.0, 1.0, 12), (4, 3))
    assert bits(f(x, xp.asarray([0, 1, 2, 0]))) == bits(f(x, xp.asarray([0, 1, 2, 0])))
    with pytest.raises(ValueError, match="target must be class indices"):
        f(x, xp.asarray([0, 1, 2, 3]))
    ignoring = f(x, xp.asarray([0, 1, 2, -100]))
    assert bits(ignoring) == bits(nn.cross_entropy(x, xp.asarray([0, 1, 2, -100])))


def test_debug_nans_inside_is_refused():
    def f(x):
        with autodiff.debug_nans():
            return xp.log(x)

    with pytest.raises(TypeError, match="debug_nans is switched on inside"):
        xp.compile(f)(X * X)


def test_python_state_that_changes_at_each_call_is_followed():
    history, count = [], 0

    def f(x):
        nonlocal count
        count += 1
        history.append(xp.sum(x))
        return x * count

    compiled = xp.compile(f)
    for i in range(1, 5):
        assert bits(compiled(X)) == bits(X * i)
    assert len(history) == 4
    assert "changes a variable" in compiled.explain()


def test_a_container_among_the_arguments_must_not_change():
    def f(x, found):
        found.append(x)
        return x

    with pytest.raises(TypeError, match="changes a container among its arguments"):
        xp.compile(f)(X, [])


def test_inside_of_a_checkpoint_gradients_of_tensors_from_outside_are_kept():
    w = copy(X).requires_grad_()
    f = xp.compile(lambda x: xp.sin(x * w))
    for _ in range(3):
        w.grad = None
        x = copy(Y).requires_grad_()
        xp.sum(autodiff.checkpoint(f)(x)).backward()
        assert bits(w.grad) == bits(xp.cos(Y * w.detach()) * Y)


def test_a_custom_rule_draws_the_same_numbers_again():
    def make(compile):
        rng = xp.random.default_rng(0)
        noise = lambda x: x * rng.normal(size=5)
        noise = xp.compile(noise) if compile else noise
        noise(X)

        @autodiff.custom_vjp
        def f(x):
            return noise(x)

        f.defvjp(lambda x: (noise(x), x), lambda x, g: (g * 2,))
        return [bits(autodiff.value_and_grad(lambda x: xp.sum(f(x)))(X)) for _ in range(3)]

    assert make(True) == make(False)


def test_a_hook_that_is_added_later_is_called():
    w = copy(X).requires_grad_()

    def f(x):
        w.grad = None
        xp.sum(w * x).backward()
        return w.grad * 1

    compiled = xp.compile(f)
    assert bits(compiled(Y)) == bits(compiled(Y)) == bits(Y)
    with w.register_hook(lambda g: g * 10):
        assert bits(compiled(Y)) == bits(Y * 10)
    assert bits(compiled(Y)) == bits(Y)


def test_leaves_as_arguments_are_told_apart():
    def f(w, x):
        xp.sum(w * w * x).backward()
        return x * 1

    compiled = xp.compile(f)
    for i in range(20):
        w = (X + i).requires_grad_()
        compiled(w, Y)
        assert bits(w.grad) == bits(2 * (X + i) * Y) or np.allclose(
            w.grad.numpy(), (2 * (X + i) * Y).numpy()
        )
        del w


def test_a_check_whose_result_is_not_used_still_raises():
    def f(x):
        xp.linalg.cholesky(x)
        return x * 2

    compiled = xp.compile(f)
    compiled(xp.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        compiled(-xp.eye(2))


def test_a_compiled_training_step_runs_its_program():
    w = copy(X).requires_grad_()
    opt = optim.Adam([w], lr=0.1)
    plan = optim.StepLR(opt, 1)

    def step(x):
        opt.zero_grad()
        loss = xp.sum(w * x)
        loss.backward()
        opt.step()
        plan.step()
        return loss.detach()

    compiled = xp.compile(step)
    for _ in range(10):
        compiled(Y)
    assert sum(e.runs for e in programs(compiled)) >= 8
