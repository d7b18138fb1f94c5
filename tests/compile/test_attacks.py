"""Calls that once had the program of other calls."""

import copy
import gc
import itertools
import operator
import pickle
import sys
import threading
import types
import weakref
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import pytest
from compile.support import bits, check, normal, programs

import arraygrad as xp
from arraygrad import autodiff, optim


class Scaled:
    __hash__ = None

    def __init__(self, k):
        self.k = k

    @xp.compile
    def forward(self, x):
        return x * self.k


class Shifted(Scaled):
    @xp.compile
    def forward(self, x):
        return super().forward(x) + 1


@xp.compile
def double(x):
    return x * 2


A = xp.asarray
ONE = A([1.0])


def test_a_compiled_method_may_call_the_one_that_it_overrides():
    x = Shifted(3.0)
    assert [float(x.forward(ONE)[0]) for _ in range(3)] == [4.0] * 3
    assert vars(x) == {"k": 3.0}


def test_two_compiled_functions_of_one_name_are_two_methods():
    class C:
        f = xp.compile(lambda self, x: x + 1)
        g = xp.compile(lambda self, x: x + 2)

    c = C()
    assert [float(h(ONE)[0]) for h in (c.f, c.g, c.f, c.g)] == [2, 3, 2, 3]
    C.f = xp.compile(lambda self, x: x + 9)
    assert float(c.f(ONE)[0]) == 10


@pytest.mark.parametrize(
    "make", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_of_an_object_have_methods_of_their_own(make):
    x = Scaled(2.0)
    x.forward(ONE)
    y = make(x)
    y.k = 5.0
    assert float(y.forward(ONE)[0]) == 5
    assert float(x.forward(ONE)[0]) == 2
    assert float(make(y.forward)(ONE)[0]) == 5
    assert float(make(double)(ONE)[0]) == 2


def test_a_tensor_that_is_passed_twice_is_not_two_tensors():
    c = xp.compile(lambda a, b: (b, a, a * b))
    z = A([0.0])
    c(z, z)
    assert [float(x[0]) for x in c(A([1.0]), A([2.0]))] == [2, 1, 2]
    assert xp.compile(lambda a, b: 1 if a is b else 0)(z, z) == 1


def test_a_tensor_from_outside_that_was_an_argument_stays_itself():
    t = A([7.0, 8.0])
    c = xp.compile(lambda x: t)
    assert c(t) is t
    assert c(A([1.0, 2.0])) is t


def test_the_order_of_keywords_and_of_keys_counts():
    c = xp.compile(lambda **k: xp.concat(list(k.values())))
    d = xp.compile(lambda k: xp.concat(list(k.values())))
    s = xp.compile(lambda **k: xp.concat([v for v in k.values() if v != "s"]), static_argnames="s")
    x = ONE
    for _ in range(2):
        for f in (c, lambda **k: d(k), lambda **k: s(s="s", **k)):
            assert xp.concat([f(a=x, b=x * 0), f(b=x * 0, a=x)]).tolist() == [1, 0, 0, 1]
    assert len(programs(d)) == 2


@pytest.mark.parametrize(
    "values",
    [
        [(1,), (1.0,), (True,)],
        [0.0, -0.0],
        [((0.0,),), ((-0.0,),)],
        [complex(1, 0.0), complex(1, -0.0)],
        [frozenset([1]), frozenset([1.0])],
    ],
)
def test_equal_static_values_of_other_types_or_signs_are_others(values):
    c = xp.compile(lambda x, s: repr(s), static_argnums=1)
    assert [c(ONE, s) for s in values * 2] == [repr(s) for s in values * 2]


def test_equal_static_fields_of_dataclasses_are_others():
    @dataclass(frozen=True)
    class Options:
        x: xp.Tensor
        n: object = field(metadata={"static": True})

    c = xp.compile(lambda o: repr(o.n))
    assert [c(Options(ONE, n)) for n in (1, 1.0, True, 1)] == ["1", "1.0", "True", "1"]


def test_a_program_on_large_arrays_is_exported(tmp_path):
    x = xp.ones(1 << 20)
    c = xp.compile(lambda x: xp.sin(x) * x + 1)
    c.export(tmp_path / "large.py", x)
    assert "np.sin" in c.source(x)
    scope = {}
    exec((tmp_path / "large.py").read_text(), scope)
    assert next(f for k, f in scope.items() if "lambda" in k or k == "program")(x.numpy())[0] > 1


# ---- what is reached


class Rate:
    lr = 1.0

    def read(self):
        return FACTOR * self.lr


FACTOR = 1.0
settings = types.ModuleType("settings")
settings.lr = 1.0


class Slots:
    __slots__ = ("lr",)

    def __init__(self):
        self.lr = 1.0

    __hash__ = object.__hash__


def both(f, change, n=2):
    """Check a function and its compiled form between changes."""
    c = xp.compile(f)
    for _ in range(n):
        assert c(ONE).tolist() == f(ONE).tolist() == c(ONE).tolist()
        change()
    assert c(ONE).tolist() == f(ONE).tolist()
    return c


def test_attributes_of_classes_are_compared(monkeypatch):
    rate = Rate()
    values = iter(range(2, 20))
    for f in (lambda x: x * Rate.lr, lambda x: x * rate.lr):
        both(f, lambda: monkeypatch.setattr(Rate, "lr", float(next(values))))


def test_global_variables_of_any_method_are_compared(monkeypatch):
    rate = Rate()
    module = sys.modules[__name__]
    values = iter(range(2, 20))
    for f in (lambda x: x * rate.read(), lambda x: x * Rate().read()):
        both(f, lambda: monkeypatch.setattr(module, "FACTOR", float(next(values))))


def test_attributes_of_modules_and_functions_are_compared(monkeypatch):
    values = iter(range(2, 20))
    local = settings

    def inside(x):
        import settings as mine

        return x * mine.lr

    def own(x):
        return x * own.lr

    own.lr = 1.0
    monkeypatch.setitem(sys.modules, "settings", settings)
    for f in (lambda x: x * settings.lr, lambda x: x * local.lr, inside):
        both(f, lambda: setattr(settings, "lr", float(next(values))))
    both(own, lambda: setattr(own, "lr", float(next(values))))


def test_slots_sets_deques_and_orders_of_dicts_are_compared():
    slots, numbers, queue, table = Slots(), {1.0}, deque([1.0]), {"a": 1.0, "b": 2.0}
    both(lambda x: x * slots.lr, lambda: setattr(slots, "lr", slots.lr + 1))
    both(lambda x: x * sum(numbers), lambda: numbers.add(len(numbers) + 1.0))
    both(lambda x: x * queue[0], lambda: queue.appendleft(queue[0] + 1))
    both(lambda x: x * next(iter(table.values())), lambda: table.update(a=table.pop("a")))


def test_what_cannot_be_compared_lets_the_function_run_as_it_is():
    long = [1.0] * 1001
    count = itertools.count()
    array, large = np.ones(3), np.ones(3000)

    def add(x):
        x[0] += 1

    c = both(lambda x: x * long[0], lambda: add(long))
    assert "1000 elements" in c.explain()
    c = xp.compile(lambda x: x + next(count))
    assert [float(c(ONE)[0]) for _ in range(3)] == [1, 2, 3]
    assert "iterator" in c.explain()
    both(lambda x: x * float(array[0]), lambda: add(array))
    c = both(lambda x: x * float(large[0]), lambda: add(large))
    assert "large NumPy array" in c.explain()


def test_objects_as_static_arguments_are_compared():
    c = xp.compile(lambda x, s: x * s.lr, static_argnums=1)
    for make in (Rate, Slots):
        s = make()
        for k in (2.0, 3.0, 2.0):
            s.lr = k
            assert float(c(ONE, s)[0]) == k


def test_optimisers_of_the_user_are_followed():
    class Growing(optim.SGD):
        k = 1.0

        def step(self, *args):
            for p in self.param_groups[0]["params"]:
                with xp.autodiff.no_grad():
                    p -= p.grad * self.k
            self.k += 1.0

    def run(compiled):
        w = A([1.0]).requires_grad_()
        optimizer = Growing([w], lr=0.1)

        def train(x):
            optimizer.zero_grad()
            xp.sum(w * w * x).backward()
            optimizer.step()

        f = xp.compile(train) if compiled else train
        for _ in range(4):
            f(ONE)
        return w.detach().tolist()

    assert run(True) == run(False)


def test_functions_that_are_replaced_and_metaclasses_are_compared(monkeypatch):
    def scaled(x, k=1.0):
        return x * k

    class Meta(type):
        lr = 1.0

    class Of(metaclass=Meta):
        pass

    values = iter(range(2, 20))
    both(lambda x: scaled(x), lambda: setattr(scaled, "__defaults__", (float(next(values)),)))
    both(lambda x: x * Of.lr, lambda: setattr(Meta, "lr", float(next(values))))
    c = xp.compile(lambda x: x * abs(-3.0))
    assert float(c(ONE)[0]) == 3
    monkeypatch.setitem(globals(), "abs", lambda x: 7.0)
    assert float(c(ONE)[0]) == 7


def test_buffers_views_and_references_let_the_function_run_as_it_is():
    slots, table, buffer = Rate(), {"a": 1.0}, bytearray(b"1")
    link, view = weakref.ref(slots), table.values()
    for f, change in (
        (lambda x: x * link().lr, lambda: setattr(slots, "lr", slots.lr + 1)),
        (lambda x: x * next(iter(view)), lambda: table.update(a=table["a"] + 1)),
        (lambda x: x * buffer[0], lambda: buffer.insert(0, 7)),
    ):
        assert "cannot be compared" in both(f, change).explain()


@pytest.mark.parametrize("n", [3, 3000])
def test_arrays_that_other_objects_give_are_read_at_each_call(n):
    xarray = pytest.importorskip("xarray")
    a = np.ones(n)
    column = xarray.DataArray(a)
    f = xp.compile(lambda x: xp.asarray(column) * x)
    for value in (1.0, 2.0, 3.0):
        a[0] = value
        assert f(xp.ones(n))[0] == value

    def doubled(x):
        y = xp.asarray(column, dtype=xp.float32)  # a new one
        y *= 2.0
        return y * x

    f = xp.compile(doubled)
    assert all(f(xp.ones(n, dtype=xp.float32))[0] == 6.0 for _ in range(3))
    assert a[0] == 3.0


def test_an_argument_that_is_made_to_require_a_gradient_is_refused():
    def f(x):
        x.requires_grad_()
        xp.sum(x * x).backward()
        return x.grad

    with pytest.raises(TypeError, match="makes an argument require a gradient"):
        xp.compile(f)(A([3.0]))


def test_a_module_that_an_object_refers_to_lets_the_function_run_as_it_is():
    holder = types.SimpleNamespace(module=settings)
    c = both(lambda x: x * holder.module.lr, lambda: setattr(settings, "lr", settings.lr + 1))
    assert "the module settings" in c.explain()


@pytest.mark.parametrize("n", [3, 3000])
def test_views_of_a_result_that_was_masked_keep_its_memory(n):
    # (Without a NaN the masked result is the operand itself, whose memory must not be used again.)
    def f(x):
        y = xp.reshape(xp.tanh(x) * 1, (-1, 1))
        z = -x
        return y * 2.5, z

    def tangents(x):
        return autodiff.jvp(f, (x,), (xp.cos(x),))

    x = normal(n)
    broken = xp.asarray(x, copy=True)
    broken[1] = xp.nan
    check(tangents, [broken], [x], [x * 0.5])


def test_a_nan_in_front_of_a_write_is_masked():
    def run(compiled):
        total = xp.zeros(3)

        def f(x):
            gradient = autodiff.grad(lambda x: xp.sum(xp.sqrt(x) * 0.0))(x)
            total[...] = total + gradient
            return gradient

        f = xp.compile(f) if compiled else f
        calls = [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 0.0, 3.0], [1.0, 2.0, 3.0]]
        return bits([f(xp.asarray(x)) for x in calls]), bits(total)

    assert run(True) == run(False)


def test_an_error_is_raised_before_anything_outside_is_written():
    total = xp.zeros(3)

    @xp.compile
    def f(a, written):
        inverse = xp.linalg.inv(a)
        written += 1
        total[...] = total + 1
        return inverse + a * 2 + a

    for _ in range(2):
        f(xp.eye(64) * 2.0, xp.zeros(3))
    written = xp.zeros(3)
    with pytest.raises(ValueError, match="Singular"):
        f(xp.zeros((64, 64)), written)
    assert written.tolist() == [0.0] * 3
    assert total.tolist() == [2.0] * 3


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda x, i: x**i, ValueError),
        (lambda x, i: operator.setitem(x + 0, xp.abs(i), 1), IndexError),
        (lambda x, i: xp.linalg.eigvals(xp.where(xp.min(i) < 0, xp.nan, xp.eye(2))), ValueError),
    ],
)
def test_a_result_that_nothing_needs_raises_as_outside(f, error):
    def g(x, i):
        f(x, i)
        return x + 1

    x, good, bad = A([1, 2, 3]), A([0, 1, 2]), A([-7, 1, 2])
    compiled = xp.compile(g)
    for _ in range(2):
        compiled(x, good)
    with pytest.raises(error):
        g(x, bad)
    with pytest.raises(error):
        compiled(x, bad)


# ---- what is kept between calls


def test_a_result_over_an_array_of_numpy_made_inside_is_not_that_of_later_calls():
    @xp.compile
    def f(x):
        return xp.asarray(np.ones(3)), x * 2

    for _ in range(3):
        ones, _ = f(A([1.0]))
        assert bits(ones) == bits(xp.ones(3))
        ones[...] = 7
    assert "a result shares memory with a NumPy array" in f.explain()


def test_a_gradient_over_an_array_of_numpy_made_inside_is_refused():
    w = A([1.0]).requires_grad_()

    @xp.compile
    def f(x):
        w.grad = xp.asarray(np.ones(1))
        return x * 2

    with pytest.raises(TypeError, match=r"or lets others do so; write xp\.asarray\(a, copy=True\)"):
        f(A([1.0]))


def test_a_program_does_not_keep_the_tensors_of_a_checkpoint():
    @xp.compile
    @autodiff.value_and_grad
    def f(x):
        factor = xp.sin(x)
        return xp.sum(autodiff.checkpoint(lambda z: xp.cos(z) * factor)(x))

    def tensors():
        gc.collect()
        return sum(type(x) is xp.Tensor for x in gc.get_objects())

    x = A([1.0, 2.0])
    before = tensors()
    for _ in range(2):
        f(x)
        assert tensors() == before


def test_source_can_be_asked_for_again_after_an_interrupt(monkeypatch):
    from arraygrad._compile import _compiled

    def interrupted(*_):
        raise KeyboardInterrupt

    f = xp.compile(autodiff.grad(lambda x: xp.sqrt(xp.sum(x * x))))
    x = A([1.0, 2.0])
    f(x), f(x)
    with monkeypatch.context() as patch:
        patch.setattr(_compiled, "optimised", interrupted)
        with pytest.raises(KeyboardInterrupt):
            f.source(x)
    assert "def " in f.source(x)


def test_programs_are_explained_while_others_are_added(monkeypatch):
    from arraygrad._compile._compiled import Ready

    f = xp.compile(lambda x: x * 2)
    f(A([1.0]))
    summary = Ready.summary

    def slow(self):
        f(xp.ones(len(f._entries) + 1))  # as another thread may do
        return summary(self)

    monkeypatch.setattr(Ready, "summary", slow)
    assert "1 program\n" in f.explain()
    assert "2 programs\n" in f.explain()


def test_a_finalizer_may_call_a_method_while_another_one_is_bound(monkeypatch):
    from arraygrad._compile._compiled import Compiled

    options, found = Compiled._options, []

    def options_after_a_finalizer(self, bound=0):
        if not found:
            found.append(None)
            found.append(bits(Scaled(3.0).forward(A([1.0]))))
        return options(self, bound)

    monkeypatch.setattr(Compiled, "_options", options_after_a_finalizer)
    thread = threading.Thread(target=lambda: Scaled(2.0).forward(A([1.0])), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert found[1] == bits(A([3.0]))
