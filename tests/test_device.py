"""Devices: names, defaults, moving data, threads."""

import asyncio
import contextvars
import copy
import itertools
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import nn

CUDA = any(d.type == "cuda" for d in xp.__array_namespace_info__().devices())


def test_names():
    cpu = xp.Device("cpu")
    assert cpu is xp.Device("cpu")
    assert xp.Device(cpu) is cpu
    assert cpu == "cpu"
    assert cpu != "cuda:0"
    assert cpu != 0
    assert hash(cpu) == hash("cpu")
    assert {cpu: 1}["cpu"] == 1
    assert (str(cpu), repr(cpu)) == ("cpu", "Device('cpu')")
    assert (cpu.type, cpu.index) == ("cpu", 0)
    assert xp.Device("cpu:0") is cpu
    assert xp.Device("strict:1") is not xp.Device("strict:0")
    assert xp.Device("strict") is xp.Device("strict:0")
    assert pickle.loads(pickle.dumps(cpu)) is cpu


@pytest.mark.skipif(CUDA, reason="there is a CUDA device")
def test_no_cuda():
    for name in ("cuda", "cuda:1"):
        with pytest.raises(ValueError, match=r"CUDA|CuPy|cupy"):
            xp.Device(name)
        with pytest.raises(ValueError, match=r"CUDA|CuPy|cupy"):
            xp.ones(2, device=name)
    assert [str(d) for d in xp.__array_namespace_info__().devices() if d.type != "strict"] == [
        "cpu"
    ]


def test_default_device():
    assert xp.default_device().device == "cpu"
    with xp.default_device("strict:0") as device:
        assert device == "strict:0"
        assert xp.zeros(1).device == "strict:0"
        with xp.default_device("cpu"):
            assert xp.asarray([1]).device == "cpu"
            assert xp.arange(3, device="strict:1").device == "strict:1"
        assert xp.asarray(np.ones(1)).device == "strict:0"
        assert xp.__array_namespace_info__().default_device() == "strict:0"
    assert xp.zeros(1).device == "cpu"


def test_default_device_again_and_again():
    setting = xp.default_device("strict:1")
    try:
        assert repr(setting) == "default_device('strict:1')"
        assert xp.default_device(None).device == "strict:1"  # asks, and sets nothing
        with xp.default_device():
            assert xp.ones(1).device == "strict:1"
        assert xp.ones(1).device == "strict:1"
    finally:
        setting.__exit__(None, None, None)
    assert xp.ones(1).device == "cpu"
    for made in (xp.Device("strict:0"), "strict"):
        with xp.default_device(made):
            assert xp.zeros(1).device == xp.empty(1).device == "strict:0"
            assert xp.eye(1).device == xp.linspace(0, 1, 2).device == "strict:0"
            assert xp.full(1, 2).device == xp.fft.fftfreq(3).device == "strict:0"
            assert xp.asarray([1]).device == xp.arange(2).device == "strict:0"
    with pytest.raises(TypeError, match=r"default_device: .*3"):
        xp.default_device(3)


def test_threads_begin_with_the_cpu():
    found = []
    with xp.default_device("strict:1"):
        context = contextvars.Context()
        thread = threading.Thread(target=lambda: found.append(context.run(xp.ones, 1).device))
        thread.start()
        thread.join()
    assert found == ["cpu"]


def test_all_devices_are_listed():
    found = xp.__array_namespace_info__().devices()
    assert [str(d) for d in found if d.type != "cuda"] == ["cpu", "strict:0", "strict:1"]
    assert all(xp.Device(str(d)) is d for d in found)
    with pytest.raises(ValueError, match="2 strict devices"):
        xp.Device("strict:2")


@pytest.mark.parametrize("name", ["cpu", "strict:0", "strict:1"])
def test_identity_survives(name):
    device = xp.Device(name)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(device, protocol=protocol)) is device
    assert copy.copy(device) is copy.deepcopy(device) is device
    assert xp.ones(1, device=name).device is xp.ones(1, device=device).device is device
    assert device == name
    assert name == device
    assert device in {name}
    assert device != xp.Device("cpu:0") or name == "cpu"


@pytest.mark.parametrize("name", ["", "CPU", "cpu:", "cpu:-1", "cpu:x", "strict:", "gpu", "cpu 0"])
def test_names_of_nothing(name):
    for use in (xp.Device, lambda n: xp.ones(1, device=n), lambda n: xp.ones(1).to_device(n)):
        with pytest.raises(ValueError, match=f"unknown device '{name}'"):
            use(name)


def test_default_device_set_for_good():
    code = (
        "import sys; sys.path[:0] = sys.argv[1:];"
        "import arraygrad as xp; from arraygrad import _device;"
        "_device._BACKENDS['strict'] = 'strict_backend';"
        "xp.default_device('strict:1'); print(xp.ones(2).device)"
    )
    paths = [p for p in sys.path if p.endswith("tests")]
    run = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "strict:1"


def test_default_device_after_an_exception():
    with pytest.raises(ZeroDivisionError), xp.default_device("strict:1"):
        raise ZeroDivisionError
    assert xp.default_device().device == "cpu"
    with pytest.raises(ValueError, match="'nowhere'"):
        xp.default_device("nowhere")
    assert xp.default_device().device == "cpu"


def test_asyncio_tasks_keep_their_own():
    async def task(device):
        with xp.default_device(device):
            await asyncio.sleep(0)
            found = xp.ones(1).device
            await asyncio.sleep(0)
            return found

    async def main():
        return await asyncio.gather(*map(task, ["cpu", "strict:0", "strict:1"] * 3))

    assert [str(d) for d in asyncio.run(main())] == ["cpu", "strict:0", "strict:1"] * 3


def test_threads():
    """Eight threads with their own default devices and common tensors, against one thread."""
    names = ["cpu", "strict:0", "strict:1", "cpu"] * 2
    shared = {n: xp.asarray(np.linspace(0.0, 1.0, 50), device=n) for n in set(names)}

    def work(name):
        results = []
        with xp.default_device(name):
            for i in range(30):
                x = xp.sin(shared[name] * (i + 1)) + xp.arange(50.0)
                x[i] = -1.0
                results.append(float(xp.sum(x @ xp.ones((50, 2)))))
                assert x.device == name
        return results

    expected = {n: work(n) for n in set(names)}
    found, errors, start = {}, [], threading.Barrier(len(names))

    def run(slot):
        try:
            start.wait()
            found[slot] = work(names[slot])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(names))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == []
    assert all(found[i] == expected[n] for i, n in enumerate(names))


HERE = ["cpu", "strict:0", "strict:1"]
PAIRS = list(itertools.product(HERE, HERE)) + [
    pytest.param(*pair, marks=pytest.mark.cuda)
    for name in HERE
    for pair in (("cuda:0", name), (name, "cuda:0"))
]
DTYPES = list(xp.__array_namespace_info__().dtypes())


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_moving(source, target, dtype):
    a = np.asarray([[1, 0, 2], [0, 3, 4]]).astype(dtype)
    x = xp.asarray(a, device=source)
    for y in (
        x.to_device(target),
        xp.asarray(x, device=target),
        xp.astype(x, x.dtype, device=target),
        xp.from_dlpack(x, device=target),
    ):
        assert y.device == target
        assert y.dtype == a.dtype
        assert y.numpy().tolist() == a.tolist()
    assert x.device == source
    if source != target:
        with pytest.raises((ValueError, BufferError), match="copy"):
            xp.asarray(x, device=target, copy=False)
        with pytest.raises(BufferError, match="copy"):
            xp.from_dlpack(x, device=target, copy=False)
        moved = x.to_device(target)
        moved[...] = 0
        assert x.numpy().tolist() == a.tolist()
    assert xp.astype(x, xp.complex64, device=target).dtype == xp.complex64


@pytest.mark.parametrize("other", ["strict:1", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_mixing_devices_raises(other):
    x, y = xp.ones(3), xp.ones(3, device=other)
    i = xp.asarray([0, 1, 2], device=other)
    for mix in (
        lambda: x + y,
        lambda: y - x,
        lambda: x @ y,
        lambda: x == y,
        lambda: x.__iadd__(y),
        lambda: xp.where(y > 0, x, x),
        lambda: xp.concat([x, y]),
        lambda: xp.stack([y, x]),
        lambda: xp.clip(x, y, None),
        lambda: xp.searchsorted(x, y),
        lambda: xp.searchsorted(x, x, sorter=i),
        lambda: xp.take(x, i),
        lambda: xp.linalg.solve(xp.eye(3), y),
        lambda: xp.meshgrid(x, y),
        lambda: xp.broadcast_arrays(x, y),
        lambda: x[i],
        lambda: x.__setitem__(0, y[0]),
        lambda: x.__setitem__(i, 0.0),
        lambda: y.__setitem__(y > 0, x),
    ):
        with pytest.raises(xp.DeviceMismatchError, match="cpu"):
            mix()
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert y.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("other", ["strict:1", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_mixing_devices_names_the_function_that_was_called(other):
    x, y, k = xp.ones((2, 3)), xp.ones((2, 3), device=other), xp.asarray([0, 1], device=other)
    v = xp.ones((2, 3)).requires_grad_()
    for name, mix in (
        ("asarray", lambda: xp.asarray([x, y])),
        ("asarray", lambda: xp.asarray([[x[0, 0], y[0, 0]]], device=other)),
        ("__setitem__", lambda: x.__setitem__(0, [x[0, 0], y[0, 0], 1.0])),
        ("einsum", lambda: xp.einsum("ij,ij", x, y)),
        ("special.logsumexp", lambda: xp.special.logsumexp(x, b=y)),
        ("mse", lambda: nn.mse(x, y)),
        ("l1", lambda: nn.l1(x, y)),
        ("huber", lambda: nn.huber(x, y)),
        ("binary_cross_entropy_with_logits", lambda: nn.binary_cross_entropy_with_logits(x, y)),
        (
            "binary_cross_entropy_with_logits",
            lambda: nn.binary_cross_entropy_with_logits(x, x, pos_weight=y),
        ),
        ("cross_entropy", lambda: nn.cross_entropy(x, y)),
        ("cross_entropy", lambda: nn.cross_entropy(x, k)),
        ("cross_entropy", lambda: nn.cross_entropy(x, x, weight=y[0])),
        ("grad", lambda: setattr(v, "grad", y)),
    ):
        with pytest.raises(xp.DeviceMismatchError, match=rf"^{name}: .*{xp.Device(other)}"):
            mix()
    assert v.grad is None


def test_like_functions_stay():
    x = xp.ones(2, device="strict:1")
    for y in (
        xp.zeros_like(x),
        xp.ones_like(x),
        xp.full_like(x, 3.0),
        xp.empty_like(x),
        xp.asarray(x),
        xp.asarray([x, x]),
        x[0],
        xp.sum(x),
        xp.sort(x),
    ):
        assert y.device == "strict:1"
    assert xp.zeros_like(x, device="cpu").device == "cpu"


def test_moving_every_layout():
    a = np.arange(24.0).reshape(2, 3, 4)
    for source, target in itertools.product(HERE, HERE):
        x = xp.asarray(a, device=source)
        for view, expected in (
            (x.T, a.T),
            (x[:, ::-1, ::2], a[:, ::-1, ::2]),
            (x[0, 0, 0], a[0, 0, 0]),
            (x[:0], a[:0]),
        ):
            moved = view.to_device(target)
            assert moved.shape == expected.shape
            assert moved.tolist() == expected.tolist()
            assert (moved is view) == (source == target)


# ---- the backend of these tests is as strict as a GPU: what it is there to refuse, it refuses


def test_the_strict_backend_refuses_foreign_data():
    zero, one = (xp.ones(2, device=f"strict:{i}")._data for i in (0, 1))
    ops = xp.Device("strict:0").ops
    assert ops["add"](zero, zero).shape == (2,)
    for name, args in (
        ("add", (zero, one)),
        ("add", (one, one)),
        ("add", (zero, np.ones(2))),
        ("add", (zero, xp.ones(2, device="strict:0"))),
        ("add", (zero, [1.0, 1.0])),
        ("concat", ([zero, one],)),
        ("concat", ([zero, np.ones(2)],)),
        ("getitem", (zero, np.asarray([0]))),
        ("getitem", (zero, [np.asarray([0])])),
        ("__setitem__", (zero, np.ones(2), ...)),
        ("__setitem__", (zero, one, ...)),
        ("asarray", ([1.0, 2.0],)),
        ("sum", (np.ones(2),)),
        ("__iadd__", (zero, one)),
        ("from_host", (zero,)),
        ("from_host", ([1.0],)),
        ("to_host", (np.ones(2),)),
        ("from_peer", (np.ones(2),)),
    ):
        with pytest.raises((AssertionError, TypeError, IndexError)):
            ops[name](*args)
    for read in (np.asarray, np.sin, memoryview, list, lambda d: np.ones(2) + d):
        with pytest.raises((AssertionError, TypeError)):
            read(zero)
    assert type(ops["to_host"](zero)) is np.ndarray


def test_the_strict_backend_shares_no_memory_with_the_host():
    a = np.ones(2)
    x = xp.asarray(a, device="strict:0")
    a[0] = 5.0
    x.numpy()[1] = 5.0
    assert x.tolist() == [1.0, 1.0]


def test_errors():
    assert issubclass(xp.DeviceMismatchError, ValueError)
    assert issubclass(xp.TransferError, TypeError)
