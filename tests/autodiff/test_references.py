"""What else refers to a tensor, such as a tracer or a traceback, does not matter."""

import sys
from pathlib import Path

import numpy as np
from autodiff.support import right_or_refused, run_program

import arraygrad as xp
from arraygrad.autodiff import grad, jacobian, variable


def _fill(v):
    out = xp.zeros(3)
    out[0] = v[0] * v[1]
    return xp.sum(out) + 0.0 * v[2]


def _fill_all(v):
    buffer = xp.zeros(3)
    buffer[...] = v * 2.0
    return xp.sum(buffer * buffer)


def _fill_by_operator(v):
    buffer = xp.ones(3)
    buffer *= v
    return xp.sum(buffer * v)


def _fill_a_view(v):
    out = xp.zeros((2, 3))
    out[1][...] = v
    out[0, :2] += v[1:]
    return xp.sum(out * out)


def _write_what_is_kept(v):
    c = xp.ones(3)
    y = v * c
    c += 1.0
    z = v * c
    c[0] = 7.0
    return xp.sum(y * z * c)


def _write_an_alias(v):
    out = xp.zeros(3)
    alias = xp.reshape(out, (3, 1))
    out += v
    return xp.sum(alias * alias) + xp.sum(out)


def _write_a_kept_row(v):
    out = xp.zeros((2, 3))
    row = out[0]
    out[0] = v
    return xp.sum(row * row) + xp.sum(out)


def _multiply_in_words(v):
    return xp.einsum("i,i,i->", v, v, v)


ORDINARY = [
    _fill,
    _fill_all,
    _fill_by_operator,
    _fill_a_view,
    _write_what_is_kept,
    _multiply_in_words,
]


ALIASES = [_write_an_alias, _write_a_kept_row]


def _slope(f, x):
    """The gradient by differences, of what is a polynomial of low degree."""
    h = 0.5
    eye = h * np.eye(3)
    at = lambda step: float(f(xp.asarray(x + step)))
    return [
        (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * h) for e in eye
    ]  # exact to degree 4


def _check_programs():
    x = np.asarray([0.5, 1.5, 2.0])
    for f in ORDINARY:
        expected = _slope(f, x)
        for found in (grad(f)(xp.asarray(x)), jacobian(f, mode="forward")(xp.asarray(x))):
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)
        v = variable(xp.asarray(x, copy=True))
        f(v).backward()
        np.testing.assert_allclose(v.grad.numpy(), expected, rtol=1e-9)
    for f in ALIASES:
        expected = _slope(f, x)
        right_or_refused(lambda f=f: grad(f)(xp.asarray(x)), expected)
        right_or_refused(lambda f=f: jacobian(f, mode="forward")(xp.asarray(x)), expected)


def _check_in(tracer):
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        _check_programs()
    finally:
        sys.settrace(before)


def test_programs_run_as_they_are():
    _check_programs()


def test_programs_run_under_a_tracer_that_reads_the_variables():
    kept = []

    def tracer(frame, event, arg):
        frame.f_locals
        return tracer

    def keeper(frame, event, arg):
        kept.append(dict(frame.f_locals))
        del kept[:-1000]
        return keeper

    _check_in(tracer)
    _check_in(keeper)


def test_programs_run_where_a_tracer_read_the_variables_at_import():
    run_program(
        f"import sys\nsys.path[:0] = [{str(Path(__file__).parents[1])!r}]\n"
        "def tracer(frame, event, arg):\n"
        "    if 'arraygrad' in frame.f_code.co_filename or 'test_references' in "
        "frame.f_code.co_filename:\n"
        "        frame.f_locals\n"
        "        return tracer\n"
        "sys.settrace(tracer)\n"
        "from autodiff import test_references\n"
        "test_references._check_programs()\n"
        "sys.settrace(None)\n"
        "test_references._check_programs()\n",
        head="",
    )


def _fail(out):
    other = xp.ones(4)
    return out + other


def test_programs_run_beside_an_exception_that_is_kept():
    out, kept = xp.zeros(3), []
    for x in (out, out[1:]):
        try:
            _fail(x)
        except ValueError as error:
            kept.append(error)
    assert len(kept) == 2

    def f(v):
        out[0] = v
        return xp.sum(out * out)

    assert float(grad(f)(xp.asarray(2.0))) == 4.0
    _check_programs()
    inside = []

    def g(v):
        buffer = xp.zeros(3)
        try:
            _fail(buffer)
        except ValueError as error:
            inside.append(error)
        buffer[...] = v
        return xp.sum(buffer * buffer)

    np.testing.assert_array_equal(grad(g)(xp.ones(3)).numpy(), [2.0, 2.0, 2.0])
    assert len(inside) == 1


def test_programs_run_beside_the_last_traceback(monkeypatch):
    out = xp.zeros(3)
    try:
        _fail(out)
    except ValueError as error:
        for name, value in (
            ("last_type", type(error)),
            ("last_value", error),
            ("last_exc", error),
            ("last_traceback", error.__traceback__),
        ):
            monkeypatch.setattr(sys, name, value, raising=False)

    def f(v):
        out[0] = v
        return xp.sum(out * out)

    assert float(grad(f)(xp.asarray(2.0))) == 4.0
    _check_programs()


def test_other_references_to_a_tensor_do_not_matter():
    def f(v):
        out = xp.zeros(3)
        same, everything = out, [out, {"out": out}]
        held = locals()
        frame = sys._getframe()
        frame.f_locals
        out[1:] = v[1:]
        same *= 2.0
        out += v
        assert everything[0] is out
        assert held["out"] is out
        return xp.sum(out * same)

    x = xp.asarray([1.0, 2.0, 3.0])  # (v0, 3 v1, 3 v2)
    np.testing.assert_array_equal(grad(f)(x).numpy(), [2.0, 36.0, 54.0])
