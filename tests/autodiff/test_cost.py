"""Depth does not use the C stack, cost is linear in the work, and nothing accumulates."""

import functools
import subprocess
import sys

import pytest
from autodiff.support import run_program

# ---- depth and cost


# Each checks itself. A write that is not followed may raise, and says why.
DEEP = {
    "a_write_to_the_last_of_many_plain_views": """
b = z = xp.zeros(3)
keep = [z]
w = autodiff.variable(xp.asarray(1.0))
for _ in range(N):
    z = z[...]
    keep.append(z)
try:
    z[0] = w
except ValueError as error:
    assert "copy" in str(error), error
else:
    xp.sum(b).backward()
    assert float(w.grad) == 1.0
""",
    "a_plain_write_to_the_last_of_many_views": """
b = z = xp.zeros(3)
keep = [z]
for _ in range(N):
    z = z[...]
    keep.append(z)
z[0] = 5.0
assert b[0] == 5.0 and keep[N // 2][0] == 5.0
w = autodiff.variable(xp.ones(3))
y = xp.sum(w * b)
y.backward()
assert float(w.grad[0]) == 5.0
""",
    "views_of_a_recorded_tensor": """
v = autodiff.variable(xp.ones(3))
w = v * 2.0
for _ in range(N):
    w = w[...]
xp.sum(w).backward()
assert v.grad.tolist() == [2.0, 2.0, 2.0]
""",
    "views_of_a_variable": """
w = v = autodiff.variable(xp.ones(3))
for _ in range(N):
    w = w[...]
xp.sum(w).backward()
assert v.grad.tolist() == [1.0, 1.0, 1.0]
""",
    "a_write_to_the_last_of_many_recorded_views": """
v = autodiff.variable(xp.ones(3))
first = w = v * 2.0
for _ in range(N):
    w = w[...]
w[0] = 3.0 * v[1]
xp.sum(first).backward()
assert v.grad.tolist() == [0.0, 5.0, 2.0]
""",
    "a_write_to_the_first_of_many_recorded_views": """
v = autodiff.variable(xp.ones(3))
first = w = v * 2.0
keep = [w]
for _ in range(N):
    w = xp.reshape(w, (3,))
    keep.append(w)
first *= 3.0
xp.sum(w).backward()
assert v.grad.tolist() == [6.0, 6.0, 6.0]
""",
    "arithmetic": """
v = autodiff.variable(xp.ones(3))
w = v
for _ in range(N):
    w = w * 1.0
xp.sum(w).backward()
assert v.grad.tolist() == [1.0, 1.0, 1.0]
""",
    "writes": """
v = autodiff.variable(xp.ones(3))
w = v * 1.0
for _ in range(N // 2):
    w *= 1.0
    w[0] = v[0]
xp.sum(w).backward()
assert v.grad.tolist() == [1.0, 1.0, 1.0]
""",
    "forward_mode": """
def f(w):
    first = w = w * 1.0
    for _ in range(N):
        w = w[...]
    w[0] = 3.0 * w[1]
    return first
out, t = autodiff.jvp(f, (xp.ones(3),), (xp.ones(3),))
assert t.tolist() == [3.0, 1.0, 1.0]
""",
    "graphs_that_are_dropped": """
v = autodiff.variable(xp.ones(3))
w = v * 1.0
for _ in range(N):
    w = (w * 1.0)[...]
del w
z = xp.zeros(3)
for _ in range(N):
    z = z[...]
del z
""",
    "a_function_of_many_views": """
def f(x):
    y = x * 1.0
    for _ in range(N):
        y = xp.permute_dims(y, (0,))
    return xp.sum(y * y)
assert autodiff.grad(f)(xp.ones(3)).tolist() == [2.0, 2.0, 2.0]
""",
    "checkpoints": """
step = autodiff.checkpoint(lambda x: x + 1.0)
def f(x):
    for _ in range(N // 4):
        x = step(x)
    return x
assert autodiff.grad(f)(xp.asarray(1.0)) == 1.0
""",
    "joined_again_and_again": """
def f(x):
    for _ in range(N):
        x = xp.concat([x, x])[1:]
    return xp.stack([x, x])[0, 0]
assert autodiff.grad(f)(xp.ones(1)).tolist() == [1.0]
""",
    "sums_with_detached_ones": """
def f(x):
    y = x
    for _ in range(N):
        y = autodiff.stop_gradient(y.detach()) + x
    return y
assert autodiff.grad(f)(xp.asarray(1.0)) == 1.0
""",
    "sums_in_place": """
v = autodiff.variable(xp.asarray(1.0))
y = v * 2.0
for _ in range(N):
    y += 1.0
y.backward()
assert v.grad == 2.0
""",
    "branches": """
def f(x):
    for _ in range(N):
        x = xp.where(x > 0, x, 1.0)
    return x
assert autodiff.grad(f)(xp.asarray(1.0)) == 1.0
assert autodiff.jvp(f, (xp.asarray(1.0),), (xp.asarray(1.0),))[1] == 1.0
""",
    "views_of_detached_tensors": """
v = autodiff.variable(xp.ones(3))
y = w = v * 2.0
for _ in range(N):
    w = w.detach()
y += 1.0
assert w.tolist() == [3.0, 3.0, 3.0]
xp.sum(y * w).backward()
assert v.grad.tolist() == [6.0, 6.0, 6.0]
""",
    "imports": """
import gc
t = first = xp.ones(3)
keep = [t]
for _ in range(N):
    t = xp.from_numpy(t.numpy())
    keep.append(t)
w = autodiff.variable(xp.ones(3))
y = xp.sum(w * first)
t[...] = 9.0
try:
    y.backward()
except RuntimeError as error:
    assert "overwrit" in str(error), error
else:
    assert w.grad.tolist() == [1.0, 1.0, 1.0]
""",
}


@pytest.mark.parametrize("program", DEEP, ids=str)
def test_deep_programs_run(program):
    run_program(f"N = 20000\n{DEEP[program]}")


def test_a_hundred_thousand_views_of_a_recorded_tensor():
    for program in ("views_of_a_recorded_tensor", "views_of_a_variable"):
        run_program(f"N = 100000\n{DEEP[program]}")


LINKED_LIST = """
import sys
import threading
class Link:
    __slots__ = ("next",)
def program():
    first = None
    for _ in range(20000):
        link = Link()
        link.next = first
        first = link
threading.stack_size(int(sys.argv[1]))
t = threading.Thread(target=program)
t.start()
t.join()
"""


@functools.cache
def small_stack():
    """Bytes of stack: what Python takes to free a linked list, and 384 KiB for the operations.

    To free linked objects, Python nests at most 50 calls, or as many as the stack has room for.
    Only Python 3.13 nests up to 10,000, whatever the stack, which can take 1 MiB.
    """
    for size in range(128 * 1024, 2048 * 1024, 128 * 1024):
        command = [sys.executable, "-I", "-c", LINKED_LIST, str(size)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return size + 384 * 1024
    raise AssertionError("Python does not free a linked list in a stack of 2 MiB")


@pytest.mark.parametrize("program", DEEP, ids=str)
def test_deep_programs_run_in_a_thread_with_a_small_stack(program):
    body = "".join(f"        {line}\n" for line in DEEP[program].splitlines())
    run_program(
        "import threading\nN = 20000\nerrors = []\n"
        f"def program():\n    try:\n{body}"
        "    except BaseException as error:\n        errors.append(repr(error))\n"
        f"threading.stack_size({small_stack()})\n"
        "t = threading.Thread(target=program)\nt.start()\nt.join()\n"
        "assert not errors, errors\n"
    )


def test_taking_the_rest_again_and_again_runs_in_a_thread_with_a_small_stack():
    run_program(f"""
import threading
found = []
def f(x):
    rest, total = x, 0.0
    while rest.shape[0] > 1:
        total = total + rest[0]
        rest = rest[1:]
    return total
threading.stack_size({small_stack()})
t = threading.Thread(target=lambda: found.append(autodiff.grad(f)(xp.ones(4000))))
t.start()
t.join()
assert found[0].tolist() == [1.0] * 3999 + [0.0]
""")


TIMED = {  # a small n, a program
    "views_of_a_recorded_tensor": (1000, DEEP["views_of_a_recorded_tensor"]),
    "a_write_to_the_last_of_many_recorded_views": (
        1000,
        DEEP["a_write_to_the_last_of_many_recorded_views"],
    ),
    "a_plain_write_to_the_last_of_many_views": (
        4000,
        DEEP["a_plain_write_to_the_last_of_many_views"],
    ),
    "writes": (1000, DEEP["writes"]),
    "imports": (1000, DEEP["imports"]),
    "many_tensors_over_one_buffer": (
        1000,
        """
a = np.ones(N)
w = autodiff.variable(xp.ones(1))
parts = [xp.from_numpy(a[k:k + 1]) for k in range(N)]
y = xp.zeros(1)
for p in parts:
    y = y + w * p
for p in parts[1:]:
    p += 0.0
parts[0] += 0.0
try:
    xp.sum(y).backward()
except RuntimeError as error:
    assert "overwrit" in str(error), error
""",
    ),
    "taking_the_rest": (
        500,
        """
def f(x):
    rest, total = x, 0.0
    while rest.shape[0] > 1:
        total = total + rest[0]
        rest = rest[1:]
    return total
assert autodiff.grad(f)(xp.ones(N)).tolist() == [1.0] * (N - 1) + [0.0]
""",
    ),
    "filling_a_buffer": (
        500,
        """
v = autodiff.variable(xp.ones(1))
out = xp.zeros(N)
for k in range(N):
    out[k] = v[0]
xp.sum(out).backward()
assert v.grad.tolist() == [float(N)]
""",
    ),
    "rows_kept_and_written": (
        500,
        """
w = autodiff.variable(xp.ones(2))
x = xp.zeros((N, 2))
y = xp.zeros(2)
for k in range(N):
    x[k] = 1.0
    y = y + w * x[k]
xp.sum(y).backward()
assert w.grad.tolist() == [float(N)] * 2
""",
    ),
    "concat": (
        1000,
        """
vs = [autodiff.variable(xp.ones(1)) for _ in range(N)]
xp.sum(xp.concat(vs) * 2.0).backward()
assert all(v.grad.tolist() == [2.0] for v in vs)
""",
    ),
    "stack": (
        1000,
        """
vs = [autodiff.variable(xp.ones(2)) for _ in range(N)]
xp.sum(xp.stack(vs) * 2.0).backward()
assert all(v.grad.tolist() == [2.0, 2.0] for v in vs)
""",
    ),
    "a_recorded_write_to_the_base_of_a_chain_of_views": (
        1000,
        """
b = z = xp.zeros(3)
keep = []
for _ in range(N):
    z = z[...]
    keep.append(z)
v = autodiff.variable(xp.ones(3))
b[0] = v[0] * 2.0
xp.sum(keep[-1]).backward()
assert v.grad.tolist() == [2.0, 0.0, 0.0]
""",
    ),
    "stack_of_what_is_recorded": (
        1000,
        """
v = autodiff.variable(xp.ones(2))
xp.sum(xp.stack([v * 2.0 for _ in range(N)])).backward()
assert v.grad.tolist() == [2.0 * N] * 2
""",
    ),
    "unstack": (
        1000,
        """
v = autodiff.variable(xp.ones((N, 2)))
total = 0.0
for row in xp.unstack(v):
    total = total + row
xp.sum(total).backward()
assert bool(xp.all(v.grad == 1.0))
""",
    ),
}


@pytest.mark.parametrize("program", TIMED, ids=str)
def test_cost_is_linear(program):
    n, body = TIMED[program]
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    small, large = map(
        float,
        run_program(
            # Without the garbage collector, whose passes grow with all that is alive.
            f"import gc, time\ngc.disable()\ndef run(N):\n{lines}"
            f"times = {{{n}: [], {4 * n}: []}}\nrun({n})\n"
            "for _ in range(3):\n"
            "    for n, found in times.items():\n"
            "        gc.collect()\n"
            "        start = time.process_time()\n"
            "        run(n)\n"
            "        found.append(time.process_time() - start)\n"
            "print(*(min(found) for found in times.values()))\n"
        ).split(),
    )
    assert large < 10 * small, f"{n}: {small:.3f} s, {4 * n}: {large:.3f} s"


CHAINS = [
    "a_function_of_many_views",
    "a_write_to_the_last_of_many_recorded_views",
    "checkpoints",
    "joined_again_and_again",
    "sums_with_detached_ones",
    "sums_in_place",
    "branches",
    "writes",
]


@pytest.mark.parametrize("program", CHAINS)
def test_the_number_of_calls_is_linear(program):
    """Of Python's and C's functions, of which compiled modules have few; without the clock."""
    lines = "".join(f"    {line}\n" for line in DEEP[program].splitlines())
    counts = run_program(
        f"import sys\ndef run(N):\n{lines}"
        "def note(frame, event, arg):\n"
        "    global calls\n"
        "    calls += event in ('call', 'c_call')\n"
        "run(1000)\n"
        "for n in (1000, 10000):\n"
        "    calls = 0\n"
        "    sys.setprofile(note)\n"
        "    run(n)\n"
        "    sys.setprofile(None)\n"
        "    print(calls)\n"
    )
    small, large = map(int, counts.split())
    assert large < 10.5 * small, counts


# ---- what is noted of memory goes with it


GROWTH = {
    "written": """
def work(m):
    ts = [xp.zeros(3) for _ in range(m)]
    for t in ts:
        t[0] = 1.0
""",
    "written_one_by_one": """
def work(m):
    for _ in range(m):
        t = xp.zeros(3)
        t += 1.0
""",
    "views_written": """
def work(m):
    ts = [xp.zeros(3) for _ in range(m)]
    vs = [xp.reshape(t, (3, 1))[1:] for t in ts]
    for v in vs:
        v[...] = 1.0
""",
    "views_of_one_tensor_that_stays": """
stays = xp.zeros(3)
def work(m):
    vs = [stays[1:] for _ in range(m)]
    for v in vs:
        v += 1.0
""",
    "imported": """
stays = np.zeros(2 * 2000)
def work(m):
    ts = [xp.from_numpy(stays[2 * k : 2 * k + 2]) for k in range(m)]
    for t in ts:
        t += 1.0
    us = [xp.from_dlpack(np.zeros(3)) for _ in range(m)]
    for t in us:
        t += 1.0
""",
    "kept_by_a_graph": """
w = autodiff.variable(xp.ones(3))
def work(m):
    ts = [xp.ones(3) for _ in range(m)]
    ys = [w * t for t in ts]
    for t in ts:
        t += 1.0
    for y in ys[:10]:
        xp.sum(y).backward()
""",
    "recorded_values_written": """
w = autodiff.variable(xp.ones(3))
def work(m):
    ts = [xp.zeros(3) for _ in range(m)]
    for t in ts:
        t[0] = w[0]
    xp.sum(ts[0]).backward()
""",
    "detached": """
w = autodiff.variable(xp.ones(3))
stays = w * 2.0
def work(m):
    ds = [stays.detach() for _ in range(m)]
    with autodiff.no_grad():
        for d in ds:
            d += 0.0
""",
}


@pytest.mark.parametrize("program", GROWTH, ids=str)
def test_what_is_noted_of_memory_goes_with_it(program):
    grown = run_program(
        f"import gc, tracemalloc\n{GROWTH[program]}\n"
        "work(2000)\nwork(2000)\ngc.collect()\ntracemalloc.start()\nwork(1000)\ngc.collect()\n"
        "before = tracemalloc.get_traced_memory()[0]\n"
        "for _ in range(50): work(1000)\ngc.collect()\n"
        "print(tracemalloc.get_traced_memory()[0] - before)\n"
    )
    assert int(grown) < 100_000


def test_tensors_are_freed_at_once():
    run_program("""
import gc, weakref
gc.disable()
gone = []
class Note:
    def __init__(self, x):
        weakref.finalize(x, gone.append, 1)
def run():
    a = np.ones(3000)
    Note(a)
    t, u = xp.from_numpy(a), xp.from_dlpack(a)
    w = autodiff.variable(xp.ones(3000))
    y = xp.sum(w * t[...])
    del a, t, u
    assert not gone
    del y
run()
assert gone, "memory stays when all that shares it has gone"
""")
