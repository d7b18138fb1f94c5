"""Compiled functions on a GPU as CUDA graphs: the same bits, one launch, and no wait."""

import copy
import gc
import threading
import weakref

import numpy as np
import pytest
from backends.emulated import counts, late, needs_emulation, reset_counts
from compile.support import bits, programs
from compile.test_cuda import host, normal
from compile.test_gradient_cases import forms

import arraygrad as xp
from arraygrad import autodiff, linalg, nn, optim
from arraygrad._compile import _graph
from conformance.gradient_cases import CASES

pytestmark = pytest.mark.cuda


def sums(x):
    """Many launches: sums between elementwise calls."""
    for _ in range(4):
        x = xp.sin(x) / xp.sum(x * x) + xp.max(xp.abs(x))
    return x


def graph_of(compiled):
    [entry] = programs(compiled)
    return entry.graph


def check(f, *calls, **options):
    """Call `f` and its compiled form with each of the arguments, and compare; return the latter."""
    compiled = xp.compile(f, **options)
    for args in calls:
        assert bits(host(compiled(*args))) == bits(host(f(*args)))
    return compiled


def inputs(n, *shape):
    return [(normal(*shape, seed=i),) for i in range(n)]


def test_a_program_is_launched_as_a_graph_with_new_arguments_each_time():
    compiled = check(sums, *inputs(6, 5))
    graph = graph_of(compiled)
    assert not graph.reason
    assert graph.launches == 4  # (the first call records, the second one compiles kernels)
    assert f"a CUDA graph of {graph.calls} calls, launched 4 times" in compiled.explain()


@needs_emulation
def test_a_launch_is_one_call_and_the_host_does_not_wait():
    compiled = check(autodiff.value_and_grad(lambda x: xp.sum(sums(x))), *inputs(3, 5))
    x = normal(5)
    for _ in range(2):
        out = compiled(x)  # fills the memory pool
    reset_counts()
    out = compiled(x)
    found = {name: n for name, n in counts().items() if n}
    assert found.pop("graph") == 1
    assert found.pop("copy on device") == 3  # one argument, two results
    # The memory of the graph is used in order, whichever streams it is launched on.
    assert found == {"wait for event": 1, "record": 1}
    assert len(out) == 2


def test_results_of_a_launch_are_not_changed_by_the_next_one():
    compiled = check(lambda x: (sums(x), x + 1), *inputs(3, 5))
    calls = inputs(4, 5)
    kept = [compiled(*args) for args in calls]
    for args, out in zip(calls, kept, strict=True):
        assert bits(host(out)) == bits(host((sums(*args), args[0] + 1)))


def test_arguments_of_other_layouts_and_alignments():
    def f(x, y):
        x = sums(x)
        return xp.sum(x, axis=0) * y, x, x.T, xp.sum(x) * y

    x = normal(6, 5)
    every = [
        (x, normal(5)),
        (x.T[:, :], normal(7)[1:7]),
        (x[::-1, ::2], normal(3)),
        (normal(13)[1:].reshape(3, 4), normal(4)),
        (xp.broadcast_to(normal(1, 5), (4, 5)), normal(5)),
    ]
    for args in every:
        compiled = xp.compile(lambda x, y: f(x, y)[::3])
        for scale in (1.0, 2.0, 0.5, 3.0):
            scaled = [xp.asarray(a, copy=True) for a in args]
            assert bits(host(compiled(*args))) == bits(host(f(*args)[::3]))
            assert bits(host(compiled(*[a * scale for a in scaled]))) == bits(
                host(f(*[a * scale for a in scaled])[::3])
            )
        assert max(e.graph.launches for e in programs(compiled)) >= 2


def test_an_argument_at_another_alignment_runs_the_program_as_it_is():
    """Kernels that read several elements at once may add them up in another order there."""
    compiled = check(sums, *inputs(3, 64))
    before = graph_of(compiled).launches
    x = normal(65)
    for _ in range(2):
        assert bits(host(compiled(x[1:]))) == bits(host(sums(x[1:])))
    assert graph_of(compiled).launches == before
    compiled(normal(64))
    assert graph_of(compiled).launches == before + 1


def test_empty_tensors_and_tensors_of_no_axes():
    def f(x, y, s):
        return xp.sin(x) * s, sums(y) * s, xp.sum(x) + s, s * 2

    calls = [(xp.zeros((0, 3), device="cuda"), normal(4, seed=i), normal(seed=i)) for i in range(5)]
    assert graph_of(check(f, *calls)).launches == 3


def test_results_that_are_arguments_or_tensors_from_outside():
    w = normal(5, seed=9)

    def f(x, y):
        z = sums(x)
        return {"x": x, "w": w, "z": z, "again": z, "y": [y, sums(y)], "number": 3}

    compiled = xp.compile(f)
    for i in range(5):
        x, y = normal(5, seed=i), normal(5, seed=i + 1)
        out = compiled(x, y)
        assert out["x"] is x
        assert out["w"] is w
        assert out["again"] is out["z"]
        assert bits(host(out)) == bits(host(f(x, y)))
    assert graph_of(compiled).launches == 3


def test_tensors_from_outside_are_read_and_written_where_they_are():
    w = normal(5)
    total = xp.zeros(5, device="cuda")

    def f(x):
        y = sums(x) * w
        total[...] = total + y
        return y + total

    compiled = xp.compile(f)
    expected = xp.zeros(5, device="cuda")
    for i in range(6):
        x = normal(5, seed=i)
        w[...] = normal(5, seed=i + 10)
        y = sums(x) * w
        expected = expected + y
        assert bits(host(compiled(x))) == bits(host(y + expected))
        assert bits(host(total)) == bits(host(expected))
    assert graph_of(compiled).launches == 4


def test_a_write_leaves_what_a_graph_has_saved():
    w = normal(5)
    compiled = check(lambda x: w.__setitem__(..., sums(x)) or sums(x * 2), *inputs(3, 5))
    before = host(w)
    v = normal(5, seed=7)
    _, pull = autodiff.vjp(lambda v: v * w, v)
    compiled(normal(5, seed=8))
    assert bits(host(pull(xp.ones(5, device="cuda")))) == bits(host((before.to_device("cuda"),)))
    assert graph_of(compiled).launches == 2


def test_a_tensor_from_outside_that_is_replaced():
    settings = {"w": normal(5)}
    compiled = xp.compile(lambda x: sums(x) * settings["w"])
    for i in range(12):
        if i % 4 == 0:
            settings["w"] = normal(5, seed=i + 20)
        x = normal(5, seed=i)
        assert bits(host(compiled(x))) == bits(host(sums(x) * settings["w"]))
    assert sum(e.graph.launches for e in programs(compiled)) == 6


def test_an_array_from_outside_that_moves_is_captured_again_a_few_times():
    w = normal(5).requires_grad_()
    compiled = xp.compile(lambda x: sums(x) * w.grad)
    for i in range(12):
        if i % 2 == 0:
            w.grad = normal(5, seed=i + 20)
        x = normal(5, seed=i)
        assert bits(host(compiled(x))) == bits(host(sums(x) * w.grad))
    graph = graph_of(compiled)
    assert f"have moved {_graph.MAX_CAPTURES} times" in graph.reason
    assert graph.launches >= _graph.MAX_CAPTURES
    assert f"no CUDA graph: {graph.reason}" in compiled.explain()


def test_random_numbers_go_on_and_begin_again():
    rng, same = (xp.random.default_rng(4, device="cuda") for _ in range(2))
    compiled = xp.compile(lambda x: sums(x) + rng.normal(size=5) * rng.random(5))

    def expected(x):
        return sums(x) + same.normal(size=5) * same.random(5)

    for i in range(5):
        x = normal(5, seed=i)
        assert bits(host(compiled(x))) == bits(host(expected(x)))
    assert graph_of(compiled).launches == 3
    rng.state = same.state = xp.random.default_rng(5, device="cuda").state
    for _ in range(3):
        assert bits(host(compiled(x))) == bits(host(expected(x)))


def test_random_generators_that_a_program_makes_are_not_captured():
    for make in (
        lambda: xp.random.default_rng(3, device="cuda"),
        lambda: xp.random.default_rng(device="cuda"),
    ):
        compiled = xp.compile(lambda x, make=make: sums(x) + make().random(5))
        outs = [bits(host(compiled(normal(5)))) for _ in range(5)]
        assert "random generators" in graph_of(compiled).reason
    assert len({x for [(_, _, x)] in outs}) == 5  # each has a seed of its own


def test_results_differentiated_outside():
    def f(x):
        for _ in range(6):
            x = xp.cumulative_sum(x * 0.5)
        return xp.tanh(x)

    compiled = xp.compile(f)
    for i in range(6):
        x, y = normal(5, seed=i), normal(5, seed=i + 1)
        found = autodiff.value_and_grad(lambda x, y=y: xp.sum(compiled(x) * y))(x)
        expected = autodiff.value_and_grad(lambda x, y=y: xp.sum(f(x) * y))(x)
        assert bits(host(found)) == bits(host(expected))
    text = compiled.explain()
    assert "forward, a CUDA graph" in text
    assert "backward, a CUDA graph" in text
    assert text.count("launched 4 times") == 2
    tangents = xp.compile(f)
    for i in range(5):
        x, t = normal(5, seed=i), normal(5, seed=i + 1)
        found = autodiff.jvp(tangents, (x,), (t,))
        assert bits(host(found)) == bits(host(autodiff.jvp(f, (x,), (t,))))
    assert "launched 3 times" in tangents.explain()


#: Some functions of each chapter.
SOME = [case for i, case in enumerate(CASES) if i % 40 == 0]


@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_gradients_as_graphs(case, monkeypatch):
    """The same bits, also where a graph would not be faster."""
    monkeypatch.setattr(_graph.Graphed, "_is_no_gain", lambda _self, _program: "")
    with xp.default_device("cuda"):
        for form in forms(case):
            calls = [case.inputs("cuda")] * 4
            calls.append([x * 1.001 if x.dtype.kind in "fc" else x + 0 for x in calls[0]])
            try:
                expected = [bits(form(*args)) for args in calls]
            except Exception:  # a gradient that does not exist there
                continue
            compiled = xp.compile(form, on_value="guard")
            assert [bits(compiled(*args)) for args in calls] == expected
            for entry in programs(compiled):
                assert entry.graph.launches or entry.graph.reason


# ---- streams and threads


@needs_emulation
def test_launches_on_several_streams_are_in_order():
    import cupy

    compiled = check(sums, *inputs(3, 5))
    streams = [cupy.cuda.Stream(non_blocking=True) for _ in range(2)]
    calls = [args[0] for args in inputs(6, 5)]
    cupy.cuda.Device().synchronize()
    with late():
        outs = []
        for i, x in enumerate(calls):
            with streams[i % 2]:
                outs.append(compiled(x))
        streams[1].synchronize()  # the last launch is here, and all before it are done, too
        streams[0].synchronize()
    assert graph_of(compiled).launches == 2 + len(calls) - 1
    for x, out in zip(calls, outs, strict=True):
        assert bits(host(out)) == bits(host(sums(x)))


def test_threads_that_call_at_once():
    compiled = check(sums, *inputs(3, 5))
    calls = inputs(8, 5)
    expected = [bits(host(sums(*args))) for args in calls]
    wrong = []

    def work(k):
        found = [bits(host(compiled(*calls[k]))) for _ in range(10)]
        wrong.extend(x for x in found if x != expected[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_call_while_another_thread_launches_runs_the_program():
    compiled = check(sums, *inputs(3, 5))
    graph = graph_of(compiled)
    before = graph.launches
    with graph._lock:
        x = normal(5, seed=3)
        assert bits(host(compiled(x))) == bits(host(sums(x)))
    assert graph.launches == before
    compiled(x)
    assert graph.launches == before + 1


@pytest.mark.parametrize("calls_before", [2, 4])
def test_inside_of_a_capture_of_the_users(calls_before):
    """The program's kernels become a part of that graph, not the memory of its own one."""
    import cupy

    stream, pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
    compiled = xp.compile(sums)
    x, last = normal(5), xp.zeros(5, device="cuda")
    cupy.cuda.Device().synchronize()
    with stream, cupy.cuda.using_allocator(pool.malloc):
        for _ in range(calls_before):
            last[...] = compiled(x)
        stream.begin_capture(cupy.cuda.runtime.streamCaptureModeGlobal)  # forbids allocations
        last[...] = compiled(x)
        users = stream.end_capture()
        launches = graph_of(compiled).launches
        x[...] = normal(5, seed=1)
        for i in range(4):
            compiled(normal(5, seed=i + 2))
        users.launch(stream)
        stream.synchronize()
    assert bits(host(last)) == bits(host(sums(normal(5, seed=1))))
    assert graph_of(compiled).launches > launches == calls_before - 2


@pytest.mark.parametrize("form", [lambda f: f, lambda f: autodiff.grad(lambda x: xp.sum(f(x)))])
def test_nothing_is_recorded_inside_of_a_capture_of_the_users(form):
    """Constants of the program would not be computed until that graph is launched."""
    import cupy

    def f(x):
        return sums(x) * xp.arange(5.0, device="cuda")

    compiled = xp.compile(f)
    called, expected = form(compiled), form(f)
    x, last = normal(5), xp.zeros(5, device="cuda")
    stream, pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
    expected(x)
    cupy.cuda.Device().synchronize()
    with stream, cupy.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        last[...] = called(x)
        users = stream.end_capture()
    assert not any(hasattr(entry, "program") for entry in programs(compiled))
    for i in range(5):
        y = normal(5, seed=i)
        assert bits(host(called(y))) == bits(host(expected(y)))
    with stream:
        users.launch(stream)
        stream.synchronize()
    assert bits(host(last)) == bits(host(expected(x)))
    assert "run 4 times" in compiled.explain()


def test_a_backward_pass_inside_of_a_capture_of_the_users_is_not_recorded():
    import cupy

    compiled = xp.compile(lambda x: sums(x) * xp.arange(5.0, device="cuda"))
    x = normal(5).requires_grad_()
    stream, pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
    xp.sum(sums(x)).backward()
    x.grad[...] = 0.0
    cupy.cuda.Device().synchronize()
    with stream, cupy.cuda.using_allocator(pool.malloc):
        loss = xp.sum(compiled(x))
        stream.begin_capture()
        loss.backward()
        stream.end_capture()
    for i in range(4):
        y, z = (normal(5, seed=i).requires_grad_() for _ in range(2))
        xp.sum(compiled(y)).backward()
        xp.sum(sums(z) * xp.arange(5.0, device="cuda")).backward()
        assert bits(host(y.grad)) == bits(host(z.grad))


@needs_emulation
@pytest.mark.parametrize("graphs", [True, False])
def test_constants_are_there_for_all_streams(graphs):
    import cupy

    def f(x):
        return sums(x) + xp.arange(5.0, device="cuda")

    x = normal(5)
    compiled = xp.compile(f, cuda_graph=graphs)
    streams = [cupy.cuda.Stream(non_blocking=True) for _ in range(2)]
    with streams[0]:
        xp.compile(f)(x)  # Kernels are there,
        others = [xp.full(5, 7.0, device="cuda") for _ in range(100)]
        cupy.cuda.Device().synchronize()
        del others  # and the memory of the constants has had other numbers.
    with late():
        with streams[0]:
            compiled(x)
        with streams[1]:
            found = [bits(host(compiled(x))) for _ in range(3)]
    assert found == [bits(host(f(x)))] * 3


@needs_emulation
def test_a_launch_comes_after_one_that_has_been_interrupted(monkeypatch):
    import cupy

    from arraygrad._backends.cupy.graphs import _Place

    compiled = check(sums, *inputs(3, 64))
    streams = [cupy.cuda.Stream(non_blocking=True) for _ in range(2)]
    x, y = normal(64, seed=7), normal(64, seed=8)
    cupy.cuda.Device().synchronize()
    copy_to, copies = _Place.copy, []

    def interrupted(self, *args):
        copies.append(args)
        if len(copies) == 2:  # the result
            raise KeyboardInterrupt
        copy_to(self, *args)

    with late():
        monkeypatch.setattr(_Place, "copy", interrupted)
        with streams[0], pytest.raises(KeyboardInterrupt):
            compiled(x)
        monkeypatch.undo()
        with streams[1]:
            found = host(compiled(y))
        assert streams[0].done
    assert bits(found) == bits(host(sums(y)))


# ---- what is no graph


def reason(f, *args, **options):
    compiled = check(f, *[args] * 4, **options)
    graph = graph_of(compiled)
    assert not graph.launches
    assert f"no CUDA graph: {graph.reason}" in compiled.explain()
    return graph.reason


def test_what_cannot_be_captured_runs_as_it_is():
    x, m = normal(5), normal(4, 4)
    many = [normal(2, seed=i) for i in range(3)]
    assert "cuBLAS" in reason(lambda m: sums(m @ m), m)
    assert "cuBLAS" in reason(lambda m: sums(xp.tensordot(m, m, axes=1)), m)
    assert "cuBLAS" in reason(lambda m: sums(m) * xp.vecdot(m, m), m)
    assert "capture failed" in reason(lambda m: sums(linalg.inv(m)), m)
    numbers = np.arange(5.0)
    assert "from the host" in reason(lambda x: sums(x) * xp.asarray(numbers, device="cuda"), x)
    assert "fft.fft may use memory of a plan" in reason(lambda x: sums(xp.real(xp.fft.fft(x))), x)
    assert "no launches" in reason(lambda x: xp.sum(x), x)
    assert "no launches" in reason(lambda a, b, c: (a + 1, b + 1, c + 1), *many)
    assert "reads values" in reason(lambda x: sums(x) if x[0] < 9 else x, x, on_value="guard")
    assert "share memory" in reason(lambda x: (y := sums(x), y[1:]), x)
    assert "share memory" in reason(lambda x: (sums(x), x[1:]), x)


def test_large_arrays_are_not_worth_a_graph(monkeypatch):
    x = normal(50)
    monkeypatch.setattr(_graph, "MAX_COPIED", 40)  # bytes for each launch that is saved
    assert reason(sums, x) == "its arguments and results are large"
    monkeypatch.undo()
    monkeypatch.setattr(_graph, "MAX_MADE", 40)
    assert reason(sums, x) == "its arrays are large"
    monkeypatch.undo()
    assert graph_of(check(sums, *[(x,)] * 3)).launches == 1


def test_optimisers_are_called_by_python():
    net = nn.Sequential(nn.Linear(3, 2, rng=xp.random.default_rng(0)))
    net.to_device("cuda")
    optimizer = optim.SGD(net.parameters(), lr=0.1)

    @xp.compile
    def step(x):
        optimizer.zero_grad()
        loss = xp.sum(net(x) ** 2)
        loss.backward()
        optimizer.step()
        return loss.detach()

    losses = [float(step(normal(4, 3))) for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    assert "calls Python in each run" in programs(step)[0].graph.reason


def test_arguments_that_are_written_or_donated():
    def f(x):
        x *= 2
        return sums(x)

    compiled = xp.compile(f)
    for i in range(4):
        x, y = normal(5, seed=i), normal(5, seed=i)
        assert bits(host((compiled(x), x))) == bits(host((f(y), y)))
    assert "writes to its arguments" in graph_of(compiled).reason

    donating = xp.compile(sums, donate_argnums=0)
    for i in range(5):
        x = normal(5, seed=i)
        assert bits(host(donating(x))) == bits(host(sums(normal(5, seed=i))))
        with pytest.raises(RuntimeError, match="donated"):
            x + 1
    assert graph_of(donating).launches == 3


def test_an_argument_that_shares_memory_with_what_is_written():
    w = normal(5)

    def f(x):
        y = sums(x)
        w[...] = y
        return y + x

    compiled = xp.compile(f)
    for _ in range(4):
        before = sums(w)
        assert bits(host(compiled(w[...]))) == bits(host(before + before))
    assert "shares memory" in graph_of(compiled).reason


def test_graphs_can_be_switched_off():
    compiled = check(sums, *inputs(4, 5), cuda_graph=False)
    assert graph_of(compiled) is None
    assert "graph" not in compiled.explain()
    assert copy.copy(compiled)._graphs is False
    with pytest.raises(TypeError, match="cuda_graph must be True or False; got 0"):
        xp.compile(sums, cuda_graph=0)


def test_programs_of_the_cpu_have_no_graph():
    compiled = xp.compile(sums)
    for _ in range(3):
        compiled(normal(5).to_device("cpu"))
    assert graph_of(compiled) is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_exception_during_the_capture_ends_it(error, monkeypatch):
    import cupy

    compiled = xp.compile(sums)
    x = normal(5)
    for _ in range(2):
        compiled(x)
    graph, run = graph_of(compiled), graph_of(compiled)._run

    def interrupted(*arrays):
        run(*arrays)
        if cupy.cuda.get_current_stream().is_capturing():
            raise error("stopped")
        return run(*arrays)

    monkeypatch.setattr(graph, "_run", interrupted)
    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            compiled(x)
        monkeypatch.undo()
    assert bits(host(compiled(x))) == bits(host(sums(x)))
    assert not cupy.cuda.get_current_stream().is_capturing()
    if error is KeyboardInterrupt:
        assert graph.launches == 1
    else:
        assert graph.reason == "the capture failed: ValueError: stopped"


def test_an_interrupt_right_after_a_capture_has_begun_ends_it(monkeypatch):
    import cupy

    made = []

    class Stream(cupy.cuda.Stream):
        def begin_capture(self, mode=None):
            made.append(self)
            super().begin_capture(mode)
            raise KeyboardInterrupt

    compiled = xp.compile(sums)
    x = normal(5)
    for _ in range(2):
        compiled(x)
    with monkeypatch.context() as patch:
        patch.setattr(cupy.cuda, "Stream", Stream)
        with pytest.raises(KeyboardInterrupt):
            compiled(x)
    assert [stream.is_capturing() for stream in made] == [False]
    assert bits(host(compiled(x))) == bits(host(sums(x)))
    assert graph_of(compiled).launches == 1


# ---- memory


def test_what_is_made_between_launches_is_left_alone():
    compiled = check(sums, *inputs(3, 50))
    made = [xp.full((n,), 7.0, device="cuda") for n in (1, 5, 50, 100, 500, 1000) * 4]
    compiled(normal(50))
    assert all(bool(xp.all(x == 7.0)) for x in made)


@needs_emulation
def test_a_dropped_function_frees_its_graph_and_memory():
    from cupy.cuda import runtime

    x = normal(1000)
    free = []
    for _ in range(3):
        compiled = check(sums, *[(x,)] * 4)
        link = weakref.ref(graph_of(compiled))
        assert link().launches == 2
        with_graph = runtime.memGetInfo()[0]
        out = compiled(x)
        gc.disable()
        try:
            del compiled
            assert link() is None
        finally:
            gc.enable()
        free.append(runtime.memGetInfo()[0])
        assert free[-1] > with_graph
        assert bits(host(out)) == bits(host(sums(x)))
    assert free[1] == free[2]  # (The first time, CuPy's pool has grown.)


@needs_emulation
def test_a_capture_that_fails_leaves_no_memory_behind():
    from cupy.cuda import runtime

    def f(m):
        y = sums(m + 1)
        return linalg.inv(m) + y

    m = normal(40, 40)
    free = []
    for _ in range(3):
        compiled = check(f, *[(m,)] * 4)
        assert "capture failed" in graph_of(compiled).reason
        free.append(runtime.memGetInfo()[0])
    assert free[1] == free[2]


@needs_emulation
def test_a_graph_that_goes_during_a_capture_of_the_users_leaves_that_alone():
    """Memory must not be freed then. It is freed after the capture, when another graph is made."""
    import cupy
    from cupy.cuda import runtime

    x, other = normal(1000), normal(3)
    compiled = check(sums, *[(x,)] * 4)
    stream = cupy.cuda.Stream(non_blocking=True)
    total = cupy.zeros(3)
    total += 1
    cupy.cuda.Device().synchronize()
    before = runtime.memGetInfo()[0]
    with stream:
        stream.begin_capture(runtime.streamCaptureModeGlobal)
        total += 1
        del compiled
        gc.collect()
        users = stream.end_capture()
        users.launch(stream)
        stream.synchronize()
    assert total.tolist() == [2.0] * 3
    assert runtime.memGetInfo()[0] == before
    small = check(sums, *[(other,)] * 4)
    assert graph_of(small).launches == 2
    assert runtime.memGetInfo()[0] > before
