"""Dispatch: a transformation sees every operation."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import _array, _dispatch, _standard
from arraygrad._tensor import Tensor

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


class Level(_array.Level):
    """The level of a transformation that notes the operations it is handed, then performs them."""

    def __init__(self, log):
        self.log = log
        self.number = 1
        self.closed = False

    def process(self, name, operands, args, kwargs):
        self.log.append(name)
        if name == "getitem":
            return plain(operands[0])[plain(args[0])]
        if name == "__setitem__":
            plain(operands[0])[plain(args[0])] = plain(operands[1])
            return None
        kwargs = {k: plain(v) for k, v in kwargs.items()}
        return _dispatch.apply(name, tuple(map(plain, operands)), args, kwargs)

    def refresh(self, x):
        pass

    def check_constant(self, x, name):
        raise PermissionError(name)

    def check_number(self, x, name):
        pass


class Trace(_array.Trace):
    """What the transformation attaches to a tensor."""

    is_tape_leaf = False
    text = ", traced"

    def __init__(self, level):
        self.level = level


def plain(x):
    if isinstance(x, Tensor) and x._trace is not None:
        return _array.wrap(Tensor, x._data, x._device)
    return tuple(map(plain, x)) if isinstance(x, tuple) else x


def recorded(x, log, level=Level):
    out = _array.wrap(Tensor, x._data, x._device)
    out._trace = Trace(level(log))
    out._primal = x
    return out


X = xp.asarray([[4.0, 1.0], [1.0, 3.0]])
V = xp.asarray([1.0, 2.0, 3.0])
I = xp.asarray([[1, 2], [3, 4]])
B = xp.asarray([[True, False], [True, True]])
Z = xp.asarray([[1.0, 1j], [-1j, 2.0]])

#: Arguments after the first, where a function needs more than one tensor of floats.
ARGUMENTS = {
    "astype": (X, xp.float32),
    "broadcast_to": (X, (2, 2, 2)),
    "clip": (X, 0.0, 1.0),
    "concat": ([X, X],),
    "expand_dims": (X, 0),
    "isin": (I, 1),
    "linalg.cross": (V, V),
    "linalg.matrix_power": (X, 2),
    "linalg.outer": (V, V),
    "meshgrid": (V, V),
    "moveaxis": (X, 0, 1),
    "permute_dims": (X, (1, 0)),
    "repeat": (X, 2),
    "reshape": (X, (4,)),
    "roll": (X, 1),
    "searchsorted": (V, 1.5),
    "squeeze": (X[None], 0),
    "stack": ([X, X],),
    "take": (V, xp.asarray([0])),
    "take_along_axis": (X, xp.asarray([[0], [1]])),
    "tile": (X, (2,)),
    "where": (B, X, X),
    "cumulative_sum": (V,),
    "cumulative_prod": (V,),
}
#: Functions of no tensor, or that look only at its dtype, or are made of others.
APART = frozenset(
    "arange asarray can_cast default_device default_dtype diag empty empty_like eye finfo "
    "from_dlpack from_numpy full full_like iinfo isdtype linspace logspace map_location ones "
    "ones_like result_type strict zeros zeros_like broadcast_shapes fft.fftfreq fft.rfftfreq "
    "__array_namespace_info__ compile get_num_threads set_num_threads show_config".split()
)
#: Functions written in the others.
COMPOSED = {n for n in xp.__all__ if n.startswith("nan") and n != "nan"}
COMPOSED |= {"broadcast_arrays", "einsum", "median", "transpose"}
COMPOSED |= {"allclose", "interp", "kron", "outer", "pad", "quantile", "split", "trapezoid"}


def functions():
    for prefix, module in (("", xp), ("linalg.", xp.linalg), ("fft.", xp.fft)):
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isfunction(found) and prefix + name not in APART | COMPOSED:
                yield prefix + name


def arguments(name):
    if name in ARGUMENTS:
        return ARGUMENTS[name]
    kinds = _standard.KINDS.get(name, "f")
    x = next(x for kind, x in (("f", X), ("c", Z), ("i", I), ("b", B)) if kind in kinds)
    function = find(name)
    parameters = inspect.signature(function).parameters
    count = sum(
        p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        for p in parameters.values()
    )
    return (x,) * max(count, 1)


def find(name):
    module, _, last = name.rpartition(".")
    return getattr(getattr(xp, module) if module else xp, last)


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_is_seen(name):
    args = arguments(name)
    plain, seen = find(name)(*args), 0
    for position, x in enumerate(args):
        log = []
        if isinstance(x, list):
            traced = [[recorded(x[0], log), *x[1:]]]
        elif isinstance(x, Tensor):
            traced = [*args[:position], recorded(x, log), *args[position + 1 :]]
        else:
            continue
        result = find(name)(*traced)
        main = name.removeprefix("linalg.")  # some are in both namespaces: one function, one name
        assert log == [main if find(name) is getattr(xp, main, None) else name]
        assert repr(result) == repr(plain)
        seen += 1
    assert seen


S, N = xp.asarray(2.0), xp.asarray([0, 1])
#: A traced tensor where an operand is a scalar above, or inside of a list, or one of many.
FURTHER = {
    "getitem": (lambda t: xp.broadcast_arrays(t), X),
    "clip": (lambda t: xp.clip(X, t, 5.0), X),
    "clip max": (lambda t: xp.clip(X, None, t), X),
    "concat": (lambda t: xp.concat((X, X, t), axis=None), V),
    "concat of an iterator": (lambda t: xp.concat(iter([X, t])), X),
    "copy": (lambda t: xp.asarray(t, copy=True), X),
    "copy by copy": (copy.copy, X),
    "copy by deepcopy": (copy.deepcopy, X),
    "astype": (lambda t: xp.asarray(t, dtype=xp.float32), X),
    "isin": (lambda t: xp.isin(1, t), I),
    "isin in": (lambda t: xp.isin(t, 1), I),
    "linalg.outer": (lambda t: xp.linalg.outer(V, t), V),
    "matmul": (lambda t: xp.linalg.matmul(X, t), X),
    "matrix_transpose": (lambda t: xp.linalg.matrix_transpose(t), X),
    "meshgrid": (lambda t: xp.meshgrid(V, V, t), V),
    "repeat": (lambda t: xp.repeat(X, t, axis=0), N),
    "searchsorted": (lambda t: xp.searchsorted(V, t), S),
    "__setitem__": (lambda t: xp.full(2, t), S),
    "stack": (lambda t: xp.asarray([t, 1.0]), S),
    "stack nested": (lambda t: xp.asarray([[S, S], [1.0, t]]), S),
    "take": (lambda t: xp.take(V, t), N),
    "take_along_axis": (lambda t: xp.take_along_axis(V, t), N),
    "tensordot": (lambda t: xp.tensordot(X, t, axes=1), X),
    "unstack": (lambda t: list(t), X),
    "where": (lambda t: xp.where(B, t, 1.0), X),
    "where else": (lambda t: xp.where(B, 1, t), S),
    "where condition": (lambda t: xp.where(t, X, 0.0), B),
}


@pytest.mark.parametrize("case", FURTHER)
def test_operands_elsewhere_are_seen(case):
    call, x = FURTHER[case]
    name, log = case.split()[0], []
    found = call(recorded(x, log))
    assert log == [name]
    assert repr(found) == repr(call(x))


@pytest.mark.parametrize("device", ["cpu", "strict:1"])
def test_operands_keep_their_order(device):
    """A transformation gets the very objects, in the standard's order, also when reflected."""
    seen = []

    class Watcher(Level):
        def process(self, name, operands, args, kwargs):
            seen.append((name, operands, args, kwargs))
            return "result"

    x = xp.asarray([1.0, 2.0], device=device)
    t = recorded(x, [], Watcher)
    for run, name, operands in (
        (lambda: t - x, "subtract", (t, x)),
        (lambda: x - t, "subtract", (x, t)),
        (lambda: 2 - t, "subtract", (2, t)),
        (lambda: t**2.0, "pow", (t, 2.0)),
        (lambda: 2 @ t, "matmul", (2, t)),
        (lambda: xp.where(x > 0, 1.0, t), "where", None),
        (lambda: -t, "negative", (t,)),
        (lambda: xp.concat([x, t, x]), "concat", (x, t, x)),
    ):
        seen.clear()
        assert run() == "result"
        assert seen[0][0] == name
        if operands is not None:
            assert len(seen[0][1]) == len(operands)
            assert all(a is b for a, b in zip(seen[0][1], operands, strict=True))
    assert t.to_device("strict:0") == "result"
    assert seen[-1][:3] == ("to_device", (t,), (xp.Device("strict:0"),))
    assert xp.sum(t, axis=0, keepdims=True) == "result"
    assert seen[-1][3] == {"axis": 0, "keepdims": True}


def test_data_is_handed_out_in_one_place():
    """What hands data out asks the transformation first, which may refuse."""
    t, one = recorded(V, []), recorded(S, [])
    for leave in (
        lambda: t.numpy(),
        lambda: t.tolist(),
        lambda: np.asarray(t),
        lambda: np.sin(t),
        lambda: np.from_dlpack(t),
        lambda: xp.from_dlpack(t),
        lambda: t.__dlpack__(),
        lambda: t.__array__(),
        lambda: t.__buffer__(0),
        lambda: pickle.dumps(t),
        lambda: xp.arange(0, one),
    ):
        with pytest.raises(PermissionError):
            leave()
    assert (float(one), int(one), bool(one)) == (2.0, 2, True)  # control flow works
    assert one.item() == 2.0
    assert repr(t) == "Tensor([1., 2., 3.], dtype=float64, traced)"


def xp_operations():
    return xp.Device("cpu").ops


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda t: xp.searchsorted(V, V, sorter=t), "searchsorted"),
        (lambda t: xp.linalg.pinv(X, rtol=t), "linalg.pinv"),
        (lambda t: xp.linalg.matrix_rank(X, rtol=t), "linalg.matrix_rank"),
        (lambda t: xp.diff(V, prepend=t), "diff"),
        (lambda t: xp.diff(V, append=t), "diff"),
    ],
)
def test_tensors_as_keywords_are_seen(call, name):
    log = []
    data = {"searchsorted": xp.asarray([0, 1, 2]), "diff": V}.get(name, xp.asarray(1e-9))
    call(recorded(data, log))
    assert log == [name]


OPERATORS = {
    "add": ("+", X), "subtract": ("-", X), "multiply": ("*", X), "divide": ("/", X),
    "floor_divide": ("//", X), "remainder": ("%", X), "pow": ("**", X), "matmul": ("@", X),
    "bitwise_and": ("&", I), "bitwise_or": ("|", I), "bitwise_xor": ("^", I),
    "bitwise_left_shift": ("<<", I), "bitwise_right_shift": (">>", I),
    "equal": ("==", X), "not_equal": ("!=", X), "less": ("<", X), "less_equal": ("<=", X),
    "greater": (">", X), "greater_equal": (">=", X),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_seen(name):
    symbol, x = OPERATORS[name]
    log = []
    eval(f"t {symbol} x", {"t": recorded(x, log), "x": x})
    eval(f"x {symbol} t", {"t": recorded(x, log), "x": x})
    assert log == [name, name]
    if name != "matmul":
        log.clear()
        eval(f"t {symbol} 2", {"t": recorded(x, log)})
        assert log == [name]


@pytest.mark.parametrize("name", sorted(_standard.MUTATING - {"__setitem__"}))
def test_in_place_operators_are_seen(name):
    x = xp.asarray(I if _standard.KINDS[name] in ("iu", "biu") else X, copy=True)
    for target, other in ((recorded(x, log := []), x), (x, recorded(x, log))):
        getattr(target, name)(other)
    assert log == [name, name]


def test_indexing_is_seen():
    x, log = xp.asarray(V, copy=True), []
    t = recorded(x, log)
    assert t[0] == 1.0
    assert t[xp.asarray([True, False, True])].tolist() == [1.0, 3.0]
    t[1] = 7.0
    x[2] = recorded(xp.asarray(8.0), log)
    assert log == ["getitem", "equal", "getitem", "__setitem__", "__setitem__"] or log == [
        "getitem",
        "getitem",
        "__setitem__",
        "__setitem__",
    ]
    assert x.tolist() == [1.0, 7.0, 8.0]


def test_movement_is_seen():
    log = []

    class Mover(Level):
        def process(self, name, operands, args, kwargs):
            log.append((name, args))
            return operands[0]

    t = recorded(V, log, Mover)
    t.to_device("cpu")  # already there: nothing to do
    assert not log
    assert t.T is t
    assert t.mT is t
    assert log == [("T", ()), ("matrix_transpose", ())]


def test_attributes_of_a_transformed_tensor():
    t = recorded(X, [])
    assert (t.shape, t.dtype, t.ndim, t.size, t.device) == ((2, 2), xp.float64, 2, 4, X.device)
    assert float(t[0, 0]) == 4.0


def test_every_operation_of_the_standard_is_in_the_table():
    missing = [n for n in functions() if n not in xp_operations()]
    assert missing == []
    assert set(_standard.KINDS) <= set(xp_operations())
    assert set(xp_operations()) >= _standard.MUTATING


def test_results_are_tensors_of_a_standard_dtype():
    """No function gives a NumPy scalar, or a dtype that the standard lacks, for any dtype."""
    dtypes = set(xp.__array_namespace_info__().dtypes().values())
    checked = 0
    for name in functions():
        for dtype in dtypes:
            x = xp.asarray([[1, 1], [0, 1]], dtype=dtype)
            for args in ((x,), (x, x), (x, 1)):
                with np.errstate(all="ignore"):
                    try:
                        result = find(name)(*args)
                    except (TypeError, ValueError, OverflowError, IndexError):
                        continue
                for r in result if isinstance(result, tuple) else (result,):
                    assert type(r) is Tensor, name
                    assert r.dtype in dtypes, (name, dtype)
                    checked += 1
    assert checked > 1000


class Partner:
    """A class that knows how to work with tensors, though they do not know it."""

    def __radd__(self, other):
        return "asked"

    __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = (
        __radd__
    )
    __rand__ = __ror__ = __rxor__ = __rlshift__ = __rrshift__ = __radd__
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __radd__
    __hash__ = None


SYMBOLS = [symbol for symbol, _ in OPERATORS.values()]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_unknown_types_are_asked(device, symbol):
    x = xp.asarray([[1, 2], [3, 4]], device=device)
    names = {"x": x, "p": Partner()}
    assert eval(f"x {symbol} p", names) == "asked"
    assert eval(f"t {symbol} p", {**names, "t": recorded(X, [])}) == "asked"
    if symbol not in ("==", "!=", "<", "<=", ">", ">="):
        exec(f"x {symbol}= p", names)  # in place too, the partner decides
        assert names["x"] == "asked"


@pytest.mark.parametrize("symbol", [s for s in SYMBOLS if s not in ("==", "!=")])
@pytest.mark.parametrize(
    "other", ["text", None, [1, 2], (1, 2), {}, object()], ids=lambda x: type(x).__name__
)
def test_unknown_types_raise(device, symbol, other):
    x = xp.asarray([1, 2], device=device)
    for expression in (f"x {symbol} other", f"other {symbol} x"):
        if symbol == "%" and isinstance(other, str) and expression.startswith("other"):
            continue  # Python formats text
        with pytest.raises(TypeError):
            eval(expression, {"x": x, "other": other})
    assert (x == other) is False
    assert (x != other) is True


def test_unknown_types_that_do_not_know():
    with pytest.raises(TypeError, match="unsupported operand"):
        X + object()
    assert (X == "text") is False
    assert (X != None) is True  # noqa: E711


def test_subclasses_of_python_scalars():
    class Size(int):
        pass

    class Length(float):
        pass

    assert (I + Size(1)).tolist() == [[2, 3], [4, 5]]
    assert (Length(2) * X).dtype == xp.float64
    assert (xp.asarray([1.0], dtype=xp.float32) * Length(2)).dtype == xp.float32
