"""Data parallelism: tensors on their way between processes, gradients of shards, lost workers."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optree
import pytest

import arraygrad
import arraygrad as xp
from arraygrad import autodiff

dask = pytest.importorskip("dask")
pytest.importorskip("distributed")

from dask.sizeof import sizeof
from dask.tokenize import TokenizationError, tokenize
from distributed import Client, LocalCluster, wait
from distributed.protocol import deserialize, serialize

from arraygrad import distributed

# Functions for the workers are defined inside of others: such are sent whole, not by the name of
# this module, which the workers need not import.


def tensors():
    base = np.arange(24.0).reshape(4, 6)
    fixed = np.arange(4.0)
    fixed.flags.writeable = False
    arrays = {
        "matrix": base,
        "column order": np.asfortranarray(base),
        "transpose": base.T,
        "slice": base[1:, ::2],
        "backwards": base[::-1],
        "broadcast": np.broadcast_to(base[0], (3, 6)),
        "read-only": fixed,
        "no axes": np.asarray(1.5),
        "empty": np.zeros((0, 3)),
        "large": np.zeros(1 << 17),
        **{t: np.asarray([0, 1, 1]).astype(t) for t in ("?", "i1", "u8", "f2", "f4", "c8", "c16")},
    }
    return {name: xp.asarray(a, copy=False) for name, a in arrays.items()}


# ---- tensors in frames


def address(x):
    """Of the memory of a tensor or a frame."""
    return np.asarray(x).__array_interface__["data"][0]


@pytest.mark.parametrize("name", tensors())
def test_frames(name, same):
    x = tensors()[name]
    header, frames = serialize(x)
    y = deserialize(header, frames)
    same(y, x.numpy())
    assert y.device == x.device
    assert header["serializer"] == "pickle"
    if not x.numpy().flags.forc:  # the pickle holds a copy of the elements
        assert len(frames) == 1
        assert y.numpy().flags.writeable
        return
    pickled, data = frames
    assert len(pickled) < 1000
    assert data.nbytes == x.size * x.dtype.itemsize
    if x.size:
        assert address(x) == address(data) == address(y)
    assert y.numpy().flags.writeable == x.numpy().flags.writeable


def test_frames_keep_the_device(xp, device, same):
    x = xp.asarray([1.0, 2.0])
    header, frames = serialize({"x": [x]})
    assert [memoryview(frame).nbytes for frame in frames[1:]] == [16]
    (y,) = deserialize(header, frames)["x"]
    assert y.device == xp.Device(device)
    same(y, [1.0, 2.0])


def test_containers_and_parts_of_a_batch_are_sent_without_a_copy():
    x, y = xp.zeros(100_000), xp.ones(10)
    box = distributed._Box
    for tree, addresses in (
        ({"a": [x, (y,)]}, [address(x), address(y)]),
        (box({"a": [x, (y,)]}), [address(x), address(y)]),
        (box((lambda: y, x)), [address(y), address(x)]),
        *zip(
            distributed.shard({"x": x}, 2)._parts,
            ([address(x)], [address(x[50_000:])]),
            strict=True,
        ),
    ):
        _, (pickled, *data) = serialize(tree, on_error="raise")
        assert len(pickled) < 1000
        assert [address(frame) for frame in data] == addresses


def test_the_scheduler_copies_tensors_and_not_the_parts_of_a_batch():
    context = {"pickle-protocol": 4}  # the scheduler's for all its connections
    x = xp.zeros(100_000)
    _, frames = serialize(x, context=context)
    assert len(frames) == 1
    _, (pickled, data) = serialize(distributed._Box((x, 1)), context=context)
    assert len(pickled) < 1000
    assert address(data) == address(x)


def test_recorded_tensors_are_not_sent():
    v = autodiff.variable(xp.ones(2))
    for x in (v, v * 2, [v], distributed._Box(v)):
        with pytest.raises(TypeError) as caught:
            serialize(x, on_error="raise")
        assert "detach" in str(caught.value.__cause__)
    assert deserialize(*serialize((v * 2).detach())).tolist() == [2.0, 2.0]


# ---- names and sizes


def test_a_name_tells_the_content():
    x = xp.reshape(xp.arange(4.0), (2, 2))
    strided = xp.reshape(xp.arange(8.0), (4, 2))[:2] + 0
    equal = [x, xp.asarray(x, copy=True), xp.asarray(np.asfortranarray(x.numpy())), strided]
    others = [
        x.T, x + 1, xp.reshape(x, (4,)), xp.astype(x, xp.float32), x.to_device("strict:1"),
        x[0], x[0, 0], x[:0], x[0, :0],
    ]  # fmt: skip
    assert len({tokenize(y, ensure_deterministic=True) for y in equal}) == 1
    assert len({tokenize(y, ensure_deterministic=True) for y in [x, *others]}) == 1 + len(others)


def test_equal_values_with_other_histories_have_other_names():
    v = autodiff.variable(xp.ones(2))
    assert tokenize(v * 2) != tokenize(v + v)
    with pytest.raises(TokenizationError):
        tokenize(v, ensure_deterministic=True)


def test_size():
    x = xp.zeros((10, 10), dtype=xp.float32)
    for tree in (x, x.T, [x], autodiff.variable(x), distributed._Box({"x": [x]})):
        assert 400 <= sizeof(tree) < 700


# ---- shards of a batch


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_shard_cuts_in_order(n):
    x = xp.arange(7)
    found = distributed.value_and_grad(
        lambda w, x: (w * xp.mean(xp.astype(x, xp.float64)), x.tolist()), has_aux=True
    )
    (value, parts), _ = found(xp.asarray(2.0), distributed.shard(x, n))
    assert [x for part in parts for x in part] == list(range(7))
    sizes = [len(part) for part in parts]
    assert len(sizes) == n
    assert max(sizes) - min(sizes) <= 1
    assert float(value) == pytest.approx(6.0, rel=1e-15)


def test_parts_are_views_and_copies_of_nothing():
    x = xp.zeros(4)
    parts = distributed.shard({"x": x}, 2)
    x += 1
    value, _ = distributed.value_and_grad(lambda w, part: w * xp.mean(part["x"]))(1.0, parts)
    assert float(value) == 1.0
    assert repr(parts) == "<Shards: 2 shards in this process>"


def test_from_map():
    parts = distributed.from_map(lambda i: xp.full((i,), float(i)), range(1, 4))
    value, gradient = distributed.value_and_grad(lambda w, x: w * xp.mean(x))(1.0, parts)
    assert float(value) == pytest.approx(14 / 6, rel=1e-15)
    assert float(gradient) == pytest.approx(14 / 6, rel=1e-15)


# ---- gradients over shards


@dataclass
class Layer:
    w: xp.Tensor
    b: xp.Tensor


def data(samples=23, dtype=np.float64):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((samples, 5)), rng.standard_normal((samples, 3))
    first = Layer(rng.standard_normal((5, 4)), rng.standard_normal(4))
    second = {"w": rng.standard_normal((4, 3)), "b": [rng.standard_normal(3)]}

    def tensor(a):
        return xp.asarray(a.astype(dtype))

    params = Layer(tensor(first.w), tensor(first.b)), arraygrad._pytree.tree_map(tensor, second)
    return params, tensor(x), tensor(y)


def make_loss():
    def loss(params, x, y, scale=1.0):
        first, second = params
        hidden = xp.tanh(x @ first.w + first.b)
        return scale * xp.mean((hidden @ second["w"] + second["b"][0] - y) ** 2)

    return loss


def close(found, expected, rtol=1e-12):
    found, structure = arraygrad._pytree.flatten(found)
    expected, other = arraygrad._pytree.flatten(expected)
    assert structure == other
    for a, b in zip(found, expected, strict=True):
        assert (type(a), a.dtype, a.shape, a.device) == (xp.Tensor, b.dtype, b.shape, b.device)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 23])
def test_equals_the_gradient_of_the_whole(n):
    params, x, y = data()
    loss = make_loss()
    expected = autodiff.value_and_grad(loss)(params, x, y, scale=3.0)
    step = distributed.value_and_grad(loss)
    close(step(params, distributed.shard(x, n), distributed.shard(y, n), scale=3.0), expected)
    both = distributed.value_and_grad(lambda p, part, s: loss(p, *part, scale=s))
    close(both(params, distributed.shard((x, y), n), 3.0), expected)


def test_single_precision_stays():
    params, x, y = data(dtype=np.float32)
    expected = autodiff.value_and_grad(make_loss())(params, x, y)
    found = distributed.value_and_grad(make_loss())(
        params, distributed.shard(x, 4), distributed.shard(y, 4)
    )
    close(found, expected, rtol=1e-6)


def test_sums_several_arguments_and_a_second_result():
    x = xp.arange(10.0)

    def f(a, x, b):
        return xp.sum(a * x**2 + xp.real(b) * x + xp.imag(b)), {"samples": x.shape[0]}

    a, b = xp.asarray(2.0), xp.asarray(1 + 3j)
    (value, aux), (gb, ga) = distributed.value_and_grad(
        f, argnums=(-1, 0), has_aux=True, reduce="sum"
    )(a, distributed.shard(x, 4), b)
    (whole, _), expected = autodiff.value_and_grad(f, argnums=(-1, 0), has_aux=True)(a, x, b)
    assert aux == [{"samples": n} for n in (3, 3, 2, 2)]
    close((value, gb, ga), (whole, *expected))


#: numbers whose sum tells in which order they were added
ORDER = [1.0, 1e16, -1e16, 1.0, 3.0, 5.0, 7.0]


def check_order(client):
    def f(w, x):
        return w * xp.sum(x)

    a, b, c, d, e, g, h = ORDER
    pairs = ((a + b) + (c + d)) + ((e + g) + h)
    assert pairs != sum(ORDER)
    batch = distributed.shard(xp.asarray(ORDER), 7, client=client)
    value, gradient = distributed.value_and_grad(f, reduce="sum")(xp.asarray(1.0), batch)
    assert (float(value), float(gradient)) == (pairs, pairs)


def test_neighbours_are_added_in_pairs():
    for _ in range(5):
        check_order(None)


def test_devices(device, same):
    x = xp.arange(6.0)
    weights = {"w": xp.asarray(2.0), "rate": 0.5}
    here = []

    def f(p, x, shift):
        here.append((x.device, p["w"].device, shift.device, xp.zeros(1).device))
        return xp.mean(p["w"] * p["rate"] * x + shift)

    step = distributed.value_and_grad(f, device=device)
    value, g = step(weights, distributed.shard(x, 2, device=device), xp.asarray(1.0))
    assert set(here[0]) == set(here[1]) == {xp.Device(device)}
    same(g["w"], 1.25, rtol=1e-15)
    assert g["w"].device == "cpu"
    assert float(value) == 3.5


def test_threads_have_the_default_device_of_the_caller():
    def f(w, x):
        return w * xp.mean(xp.zeros(1) + x)

    with xp.default_device("strict:1"):
        batch = distributed.from_map(xp.ones, [3, 3])
        _, g = distributed.value_and_grad(f)(xp.asarray(2.0), batch)
    assert g.device == "strict:1"


def check_default_dtype(client):
    def f(w, x):
        return w * xp.mean(xp.full(1, 0.1) + x)

    batch = distributed.shard(xp.ones(4, dtype=xp.float32), 2, client=client)
    with xp.default_dtype("float32"):
        value, g = distributed.value_and_grad(f)(xp.asarray(2.0), batch)
    assert value.dtype == g.dtype == "float32"


def test_threads_have_the_default_dtype_of_the_caller():
    check_default_dtype(None)


def test_variables_are_taken_by_value_and_results_are_refused():
    batch = distributed.shard(xp.ones(4), 2)
    step = distributed.value_and_grad(lambda w, x, s=1.0: s * w**2 * xp.mean(x))
    w = autodiff.variable(xp.asarray(3.0))
    value, g = step(w, batch)
    assert (type(value), type(g), float(g)) == (xp.Tensor, xp.Tensor, 6.0)
    for call in (
        lambda: step(w * 2, batch),
        lambda: step(1.0, batch, w),
        lambda: step(1.0, batch, s=w),
        lambda: distributed.shard(autodiff.variable(xp.ones(4)), 2),
        lambda: autodiff.grad(lambda w: step(w, batch)[0])(xp.asarray(1.0)),
        lambda: autodiff.jvp(lambda w: step(w, batch)[0], (1.0,), (1.0,)),
    ):
        with pytest.raises(autodiff.NotDifferentiableError, match="detach"):
            call()
    with autodiff.no_grad():
        assert float(step(w * 2, batch)[1]) == 12.0


def test_bad_input():
    x = xp.ones((4, 2))
    two, three = distributed.shard(x, 2), distributed.shard(x, 3)
    step = distributed.value_and_grad(lambda w, *parts: xp.sum(w) + xp.mean(parts[0]))
    uneven = distributed.from_map(xp.ones, [2, 3])
    value_and_grad = distributed.value_and_grad
    for error, words, call in (
        (ValueError, "from 1 to the number of samples, 4; got 5", lambda: distributed.shard(x, 5)),
        (ValueError, "got 0", lambda: distributed.shard(x, 0)),
        (TypeError, "n must be an int; got 1.5", lambda: distributed.shard(x, 1.5)),
        (ValueError, "equally many", lambda: distributed.shard((x, x[:3]), 2)),
        (ValueError, "equally many", lambda: distributed.shard(xp.asarray(1.0), 1)),
        (ValueError, "got none", lambda: distributed.shard([], 1)),
        (ValueError, "no items", lambda: distributed.from_map(xp.ones, [])),
        (TypeError, "a function", lambda: distributed.from_map(3, [1])),
        (TypeError, "a function", lambda: value_and_grad(3)),
        (ValueError, "'max'", lambda: value_and_grad(sum, reduce="max")),
        (TypeError, "made by shard or from_map", lambda: step(x, x)),
        (TypeError, "made by shard or from_map", lambda: step(x, two, part=two)),
        (ValueError, "2 and 3", lambda: step(x, two, three)),
        (ValueError, "2 and 3", lambda: step(x, uneven, distributed.from_map(xp.ones, [2, 2]))),
        (TypeError, "must not name an argument in shards", lambda: step(two, x)),
        (TypeError, "int or a sequence of ints; got 1.0", lambda: value_and_grad(sum, 1.0)),
        (TypeError, "int or a sequence of ints", lambda: value_and_grad(sum, ())),
        (ValueError, "argnums 2", lambda: value_and_grad(sum, 2)(x, two)),
        (ValueError, "equally many", lambda: step(x, distributed.from_map(str, "ab"))),
        (TypeError, "floating-point", lambda: step(xp.asarray(1), two)),
    ):
        with pytest.raises(error, match=words):
            call()


def test_an_error_of_the_function_is_raised():
    def f(w, x):
        if float(x[0]) == 3:
            raise RuntimeError("the last part")
        return w * xp.mean(x)

    with pytest.raises(RuntimeError, match="the last part"):
        distributed.value_and_grad(f)(1.0, distributed.shard(xp.arange(4.0), 4))


# ---- processes


@pytest.fixture(scope="module")
def client():
    with start() as cluster, Client(cluster) as client:
        yield client


def start():
    return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0")


def test_a_cluster_listens_to_this_machine_alone(client):
    import psutil

    me = psutil.Process()
    pids = [me.pid, *(child.pid for child in me.children(recursive=True))]
    there = [c.laddr for pid in pids for c in psutil.Process(pid).net_connections()
             if c.status == psutil.CONN_LISTEN]  # fmt: skip
    assert len(there) > 4  # the scheduler, its dashboard, two workers with their nannies
    assert {address.ip for address in there} == {"127.0.0.1"}


def test_what_we_show_listens_to_this_machine_alone():
    root = Path(__file__).parents[1]
    files = [*root.glob("docs/*.md"), *root.glob("*.md"), *root.glob("tests/*.py"),
             *root.glob("examples/*.py"), *root.glob("benchmarks/*.py")]  # fmt: skip
    texts = [path.read_text(encoding="utf-8") for path in files]
    started = [call for text in texts for call in re.findall(r"Local\w*Cluster\(([^)]*)\)", text)]
    assert len(started) >= 5
    assert [call for call in started if 'dashboard_address="127.0.0.1:' not in call] == []


def test_debug_nans_holds_in_processes(client):
    step = distributed.value_and_grad(lambda w, x: xp.mean(xp.log(w * x)))
    batch = distributed.shard(xp.asarray([1.0, -1.0]), 2, client=client)
    with autodiff.debug_nans(), pytest.raises(FloatingPointError, match=r"^log: the result is NaN"):
        step(xp.asarray(1.0), batch)


def test_processes_have_the_default_dtype_of_the_caller(client):
    check_default_dtype(client)


def test_processes_give_what_one_gives(client):
    params, x, y = data()
    loss = make_loss()
    batch = distributed.shard((x, y), 4, client=client)
    step = distributed.value_and_grad(lambda p, part: (loss(p, *part), os.getpid()), has_aux=True)
    for _ in range(3):
        (value, pids), gradient = step(params, batch)
        close((value, gradient), autodiff.value_and_grad(loss)(params, x, y))
        assert len(pids) == 4
        assert os.getpid() not in pids
    check_order(client)


def test_parts_are_spread_and_made_by_the_workers(client):
    def load(i):
        return xp.full((2,), float(os.getpid()))

    batch = distributed.from_map(load, range(4), client=client)
    step = distributed.value_and_grad(lambda w, x: (xp.sum(w * x), int(x[0])), has_aux=True)
    (_, made_by), _ = step(1.0, batch)
    assert set(made_by) <= set(client.run(os.getpid).values())
    for batch in (
        distributed.from_map(load, range(4), client=client),
        distributed.shard(xp.zeros(2_000_000), 4, client=client),  # no warning that it is large
    ):
        wait(batch._parts)
        homes = client.who_has(batch._parts)
        (a,), (b,), *others = (homes[future.key] for future in batch._parts)
        assert a != b
        assert others == [(a,), (b,)]
    assert "2 shards in <Client" in repr(distributed.shard(xp.ones(2), 2, client=client))


def test_clients_do_not_mix(client):
    x = xp.ones(4)
    step = distributed.value_and_grad(lambda w, x, y: w * xp.mean(x))
    with pytest.raises(ValueError, match="to one client"):
        step(1.0, distributed.shard(x, 2), distributed.shard(x, 2, client=client))


def test_errors_of_processes(client):
    def f(w, x):
        raise RuntimeError(f"{x.shape[0]} samples")

    batch = distributed.shard(xp.ones(4), 2, client=client)
    with pytest.raises(RuntimeError, match="2 samples"):
        distributed.value_and_grad(f)(xp.asarray(1.0), batch)
    v = autodiff.variable(xp.ones(2))
    with pytest.raises(autodiff.NotDifferentiableError, match="detach"):
        distributed.value_and_grad(lambda w, x: w * xp.mean(x) * xp.sum(v))(1.0, batch)


@pytest.mark.parametrize("n", [10, 1_000_000])
@pytest.mark.parametrize("place", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_tensors_go_to_a_process_and_come_back_writable(client, place, n, same):
    def double(tree):
        # By reference: as a global it would be sent with all that other tests registered with it.
        from dask.sizeof import sizeof

        (x,) = tree["x"] if isinstance(tree, dict) else (tree,)
        x *= 2  # as if it were its own
        frames = [memoryview(frame).nbytes for frame in serialize(x)[1]]
        return tree, os.getpid(), str(x.device), sizeof(x), frames

    x = xp.arange(float(n), device=place)
    (scattered,) = client.scatter([x], broadcast=True)
    for sent in (x, {"x": [x]}, scattered):
        y, pid, there, memory, frames = client.submit(double, sent, pure=False).result()
        (y,) = y["x"] if isinstance(y, dict) else (y,)
        assert pid != os.getpid()
        assert (type(y), there, y.device) == (xp.Tensor, str(x.device), x.device)
        assert memory >= 8 * n
        assert frames[0] < 1000
        assert frames[1:] == [8 * n]
        same(y.to_device("cpu"), np.arange(float(n)) * 2)
        y += 1
        assert float(y[-1]) == 2 * n - 1
    assert float(x[-1]) == n - 1


def test_a_batch_goes_to_processes_and_is_writable_there(client, same):
    def f(w, part):
        x = part["x"][0]
        x[:1] = xp.asarray([0.5])  # it stays so on the worker: the parts are its own
        return w * xp.sum(x), x

    x = xp.ones(1_000_000)
    batch = distributed.shard({"x": [x]}, 2, client=client)
    step = distributed.value_and_grad(f, has_aux=True, reduce="sum")
    (value, parts), gradient = step(xp.asarray(2.0), batch)
    assert (float(value), float(gradient)) == (1_999_998.0, 999_999.0)
    for part in parts:
        part += 1
        same(part[:2], [1.5, 2.0])
    assert bool(xp.all(x == 1))


def test_recorded_tensors_are_not_sent_to_processes(client):
    v = autodiff.variable(xp.ones(2))
    for send in (lambda: client.submit(len, v), lambda: client.scatter(v)):
        with pytest.raises(TypeError) as caught:
            send()
        assert "detach" in str(caught.value.__cause__)
    with pytest.raises(TypeError, match="detach"):  # nor do they come back
        client.submit(lambda: autodiff.variable(xp.ones(2))).result()


PROGRAM = """
import {first}

import os
import sys

import arraygrad as xp
from distributed import Client, LocalCluster


def imported():
    return [name for name in sys.modules if name in ("arraygrad", "distributed")]


def double(x):
    x *= 2
    return x, os.getpid(), imported()


if __name__ == "__main__":
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
    ):
        for n in (10, 1_000_000):
            x, pid, there = client.submit(double, xp.ones(n)).result()
            x += 1
            assert bool(xp.all(x == 3)) and x.shape == (n,)
            assert pid != os.getpid()
            assert there[0] == imported()[0] == "{first}", (there, imported())
        from arraygrad import distributed

        batch = distributed.shard(xp.ones(10), 2, client=client)
        value, gradient = distributed.value_and_grad(lambda w, x: w * xp.mean(x))(2.0, batch)
        assert (float(value), float(gradient)) == (2.0, 1.0)
"""


@pytest.mark.parametrize("first", ["arraygrad", "distributed"])
def test_the_order_of_imports_does_not_matter(tmp_path, first):
    path = tmp_path / "program.py"  # a worker process imports it, too
    path.write_text(PROGRAM.format(first=first))
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def train(batch, steps, marker=""):
    """Losses and weights; the worker that computes the last part of step 2 dies, once."""
    loss_of = make_loss()
    kill = signal.SIGKILL

    def loss(params, part, step):
        x, y, last = part
        if marker and step == 2 and float(last[0]) == 1.0:
            try:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), kill)
        return loss_of(params, x, y)

    gradient = distributed.value_and_grad(loss)
    params, _, _ = data()
    losses = []
    for step in range(steps):
        value, g = gradient(params, batch, step)
        losses.append(float(value))
        params = optree.tree_map(lambda p, d: p - 0.1 * d, params, g, namespace="arraygrad")
    return losses, [p.tolist() for p in arraygrad._pytree.flatten(params)[0]]


def test_a_killed_worker_changes_nothing(tmp_path):
    _, x, y = data()
    last = xp.astype(xp.arange(23) >= 18, xp.float64)
    marker = tmp_path / "killed"
    with start() as cluster, Client(cluster) as client:
        before = set(client.run(os.getpid).values())
        batch = distributed.shard((x, y, last), 4, client=client)
        undisturbed = train(batch, 6)
        killed = train(batch, 6, str(marker))
        after = set(client.run(os.getpid).values())
    assert marker.exists()
    assert len(before - after) == 1
    assert killed == undisturbed
    alone = train(distributed.shard((x, y, last), 1), 6)
    np.testing.assert_allclose(killed[0], alone[0], rtol=1e-12)
