"""Batches: every sample once, the same again from a seed or a state, and no thread left over."""

import dataclasses
import gc
import itertools
import json
import subprocess
import sys
import threading
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arraygrad
from arraygrad import autodiff
from arraygrad.data import DataLoader, Subset, random_split


def threads():
    return [t for t in threading.enumerate() if t.name == "arraygrad-data"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not threads()


def rng(seed=0):
    return arraygrad.random.default_rng(seed)


def lists(batches):
    return [b.tolist() for b in batches]


sizes = st.integers(0, 40)
batch_sizes = st.integers(1, 50)


@given(sizes, batch_sizes, st.booleans(), st.integers(0, 3), st.booleans())
def test_every_sample_once_in_an_epoch(n, batch_size, shuffle, prefetch, drop_last):
    x = np.arange(n)
    loader = DataLoader(
        x,
        -2.0 * x,
        batch_size=batch_size,
        shuffle=rng() if shuffle else False,
        prefetch=prefetch,
        drop_last=drop_last,
    )
    for _ in range(2):
        batches = list(loader)
        assert len(batches) == len(loader)
        seen = [i for a, b in batches for i in a.tolist()]
        assert [i for a, b in batches for i in b.tolist()] == [-2.0 * i for i in seen]
        lengths = [a.shape[0] for a, b in batches]
        kept = n - n % batch_size if drop_last else n
        assert len(seen) == len(set(seen)) == kept
        assert all(k == batch_size for k in lengths[:-1])
        assert all(k == batch_size or not drop_last for k in lengths)
        if not shuffle:
            assert seen == list(range(kept))


@given(sizes, batch_sizes, st.booleans(), st.integers(0, 3), st.data())
def test_a_state_goes_on_with_the_same_batches(n, batch_size, shuffle, prefetch, data):
    def make(seed, ahead):
        options = {"batch_size": batch_size, "prefetch": ahead}
        return DataLoader(np.arange(n), shuffle=rng(seed) if shuffle else False, **options)

    one, other = make(1, prefetch), make(2, 2 - prefetch // 2)
    epochs, stop = data.draw(st.integers(0, 2)), data.draw(st.integers(0, len(one)))
    for _ in range(epochs):
        list(one)
    loop = iter(one)
    for _ in range(stop):
        next(loop)
    state = json.loads(json.dumps(one.state_dict()))
    rest, after = lists(loop), lists(one)
    other.load_state_dict(state)
    assert other.epoch == epochs
    assert lists(other) == rest
    assert other.epoch == one.epoch - 1 == epochs + 1
    assert lists(other) == after
    assert other.state_dict() == one.state_dict()


def test_orders_repeat_by_seed_and_differ_by_epoch():
    def epochs(seed):
        loader = DataLoader(np.arange(50), batch_size=50, shuffle=rng(seed))
        return [lists(loader) for _ in range(3)]

    assert epochs(3) == epochs(3)
    assert epochs(3) != epochs(4)
    for a, b in itertools.combinations(epochs(3), 2):
        assert a != b
    unseeded = [lists(DataLoader(np.arange(50), batch_size=50, shuffle=True)) for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_who_leaves_early_begins_another_epoch():
    loader = DataLoader(np.arange(30), batch_size=10, shuffle=rng())
    for _ in loader:
        break
    assert loader.epoch == 0
    second = lists(loader)
    again = DataLoader(np.arange(30), batch_size=10, shuffle=rng())
    assert lists(again) != second
    assert lists(again) == second
    assert loader.epoch == again.epoch == 2


def test_of_two_loops_the_later_one_counts():
    loader = DataLoader(np.arange(6), batch_size=2)
    first = iter(loader)
    next(first)
    second = iter(loader)
    next(second)
    state = loader.state_dict()
    assert lists(first) == [[2, 3], [4, 5]]
    assert loader.state_dict() == state
    assert state["epoch"] == state["position"] == 1
    assert lists(second) == [[2, 3], [4, 5]]
    assert loader.state_dict()["epoch"] == 2


# ---- what is loaded


@dataclasses.dataclass
class Pair:
    image: object
    label: object


class Named(NamedTuple):
    image: object
    label: object


def test_containers(xp):
    image, label = xp.reshape(xp.arange(12), (6, 2)), np.arange(6)
    for make in (Pair, Named):
        (batch, _) = DataLoader(make(image, label), batch_size=4)
        assert type(batch) is make
        assert batch.image.device is image.device
        assert batch.label.device == "cpu"
        np.testing.assert_array_equal(batch.image.numpy(), np.arange(8).reshape(4, 2))
    loader = DataLoader({"a": image}, [label, (label,)], batch_size=6, shuffle=rng())
    ((first, second),) = loader
    np.testing.assert_array_equal(first["a"].numpy()[:, 0], 2 * second[1][0].numpy())
    (alone,) = DataLoader(image, batch_size=10)
    assert isinstance(alone, arraygrad.Tensor)


def test_devices(device):
    x = np.arange(20.0)
    y = arraygrad.arange(20, device="strict:1")
    generator = arraygrad.random.default_rng(0, device=device)
    loader = DataLoader(x, y, batch_size=6, shuffle=generator, device=device)
    seen = []
    for a, b in loader:
        assert a.device == b.device == arraygrad.Device(device)
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        seen += a.tolist()
    assert sorted(seen) == list(range(20))


def test_only_what_moves_is_prefetched(monkeypatch):
    for where, started in (("cpu", 0), ("strict:1", 1)):
        loop = iter(DataLoader(np.arange(9), batch_size=3, device=where))
        next(loop)
        assert len(threads()) == started
        del loop
        assert not threads()


def test_batches_are_copies_and_samples_are_not(tmp_path):
    x = np.zeros(4)
    loader = DataLoader(x, batch_size=2)
    for batch in loader:
        batch += 1.0
    assert not x.any()
    x[:] = 5.0
    assert lists(loader) == [[5.0, 5.0]] * 2
    np.save(tmp_path / "x.npy", np.arange(10))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    loader = DataLoader(mapped, batch_size=5, shuffle=rng())
    assert np.shares_memory(loader._leaves[0]._data, mapped)
    assert sorted(i for b in loader for i in b.tolist()) == list(range(10))


def test_the_callers_context_holds_in_the_thread():
    seen = []

    class Loader(DataLoader):
        def _batch_factory(self, epoch):
            make = super()._batch_factory(epoch)

            def noted(i):
                seen.append((arraygrad.default_device().device, threading.current_thread().name))
                return make(i)

            return noted

    with arraygrad.default_device("strict:1"):
        list(Loader(np.arange(2), prefetch=1))
    assert seen == [("strict:1", "arraygrad-data")] * 2


# ---- the thread


def failing(at, **options):
    class Loader(DataLoader):
        def _batch_factory(self, epoch):
            make = super()._batch_factory(epoch)

            def fail(i):
                if i == at:
                    raise OSError("the disk is gone")
                return make(i)

            return fail

    return Loader(np.arange(10), batch_size=1, **options)


@pytest.mark.parametrize("prefetch", [0, 1, 5])
@pytest.mark.parametrize("at", [0, 4, 9])
def test_errors_arrive_where_their_batch_would(at, prefetch):
    loader, seen = failing(at, prefetch=prefetch), []
    with pytest.raises(OSError, match="the disk is gone"):
        seen.extend(loader)
    assert len(seen) == at
    assert not threads()
    assert loader.state_dict()["position"] == at


@pytest.mark.parametrize("prefetch", [1, 3])
def test_the_thread_ends_with_the_loop(prefetch):
    loader = DataLoader(np.arange(100), batch_size=1, prefetch=prefetch)
    for batch in loader:
        if batch[0] == 3:
            assert len(threads()) == 1
            break
    assert not threads()

    def fails():
        for _ in loader:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not threads()
    loop = iter(loader)
    next(loop)
    loop.close()
    assert not threads()
    loop = iter(loader)  # not begun: no thread
    assert not threads()
    del loop
    both = [iter(loader), iter(loader)]
    for loop in both:
        next(loop)
    assert len(threads()) == 2
    del both, loop
    gc.collect()
    assert not threads()


def test_no_more_batches_are_made_than_asked_for():
    made = []

    class Loader(DataLoader):
        def _batch_factory(self, epoch):
            make = super()._batch_factory(epoch)
            return lambda i: (made.append(i), make(i))[1]

    loop = iter(Loader(np.arange(100), batch_size=1, prefetch=3))
    next(loop)
    settle = threading.Event()
    for _ in range(100):
        settle.wait(0.005)
        if len(made) >= 5:
            break
    settle.wait(0.05)
    assert len(made) == 1 + 3 + 1  # handed out, in the queue, and one that waits for room
    loop.close()


def test_an_unfinished_loop_does_not_keep_the_program_from_ending():
    code = (
        "import numpy as np\n"
        "from arraygrad.data import DataLoader\n"
        "loop = iter(DataLoader(np.arange(100), prefetch=2))\n"
        "print(next(loop))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


# ---- progress


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_progress_bar_where_it_is_asked_for(prefetch, capsys):
    pytest.importorskip("tqdm")
    options = {"batch_size": 2, "prefetch": prefetch}
    list(DataLoader(np.arange(6), **options))
    assert capsys.readouterr().err == ""
    list(DataLoader(np.arange(6), progress=True, **options))
    text = capsys.readouterr().err
    assert "epoch 0" in text
    assert "3/3" in text
    loader = DataLoader(np.arange(6), progress="training", **options)
    state = loader.state_dict() | {"position": 1}
    loader.load_state_dict(state)
    for _ in loader:
        break
    text = capsys.readouterr().err
    assert "training" in text
    assert "1/3" in text


def test_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    DataLoader(np.arange(3))
    with pytest.raises(ImportError, match=r"arraygrad\[progress\]"):
        DataLoader(np.arange(3), progress=True)


@pytest.mark.parametrize("integer", [np.int64, np.uint8])
def test_sizes_may_be_numpys(integer):
    loader = DataLoader(np.arange(5), batch_size=integer(2), prefetch=integer(1))
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3], [4]]
    assert json.loads(json.dumps(loader.state_dict()))["batch_size"] == 2
    state = {k: integer(x) if k == "epoch" else x for k, x in loader.state_dict().items()}
    loader.load_state_dict(state)


# ---- data sets


class Squares:
    """A data set, whose samples are made when they are asked for."""

    def __init__(self, n):
        self.n, self.asked = n, []

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        self.asked.append(i)
        return {"x": np.full(2, i, dtype=np.float32), "y": i * i}


@pytest.mark.parametrize("prefetch", [0, 2])
def test_data_sets_that_make_samples_one_by_one(prefetch):
    squares = Squares(7)
    loader = DataLoader(squares, batch_size=3, shuffle=rng(), prefetch=prefetch)
    assert len(loader) == 3
    assert squares.asked == []
    batches = list(loader)
    assert sorted(squares.asked) == list(range(7))
    assert squares.asked != list(range(7))
    assert [b["x"].shape for b in batches] == [(3, 2), (3, 2), (1, 2)]
    for batch in batches:
        assert (batch["x"].dtype, batch["y"].dtype) == (arraygrad.float32, arraygrad.int64)
        assert [int(i) ** 2 for i in batch["x"][:, 0].tolist()] == batch["y"].tolist()
    arrays = DataLoader(np.arange(7), batch_size=3, shuffle=rng())
    assert [b["x"][:, 0].tolist() for b in batches] == lists(arrays)  # in the same order
    other = DataLoader(squares, batch_size=3, shuffle=rng(1))
    loop = iter(loader)
    next(loop)
    other.load_state_dict(loader.state_dict())
    assert [b["y"].tolist() for b in other] == [b["y"].tolist() for b in loop]


def test_lists_of_samples(device):
    with arraygrad.default_device(device):
        pairs = [(arraygrad.asarray([i, i + 0.5]), i % 2 == 0, float(i)) for i in range(3)]
    x, y, z = next(iter(DataLoader(pairs, batch_size=3)))
    assert x.device is pairs[0][0].device
    assert y.device == z.device == "cpu"
    assert (x.tolist(), y.tolist(), z.tolist()) == (
        [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]], [True, False, True], [0.0, 1.0, 2.0]
    )  # fmt: skip
    x, y, z = next(iter(DataLoader(pairs, batch_size=3, device=device)))
    assert x.device is y.device is z.device is arraygrad.Device(device)
    x.tolist()
    x[...] = 7.0
    assert pairs[0][0].tolist() == [0.0, 0.5]


def test_samples_that_are_numbers_or_nested():
    assert lists(DataLoader(range(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert lists(DataLoader([1, 2.5, 3], batch_size=3)) == [[1.0, 2.5, 3.0]]
    assert next(iter(DataLoader([np.float32(1), np.float32(2)], batch_size=2))).dtype == "float32"
    batch = next(iter(DataLoader([Point(np.ones(2), 1), Point(np.zeros(2), 2)], batch_size=2)))
    assert isinstance(batch, Point)
    assert (batch.x.tolist(), batch.y.tolist()) == ([[1.0, 1.0], [0.0, 0.0]], [1, 2])
    # A list with arrays is a container, as before.
    a, b = next(iter(DataLoader([np.arange(3), {"k": np.arange(3)}], batch_size=2)))
    assert (a.tolist(), b["k"].tolist()) == ([0, 1], [0, 1])


class Point(NamedTuple):
    x: object
    y: object


def test_samples_that_do_not_fit_together():
    for samples, error, match in (
        ([(1, 2), (1, 2, 3)], ValueError, r"same containers; got \(1, 2\) at index 0 and .* at 1"),
        ([{"x": 1}, {"y": 1}], ValueError, "same containers"),
        ([(np.ones(2), 0), (np.ones(3), 0)], ValueError, r"same shape; got \(2,\) .* \(3,\) at 1"),
        (["a", "b"], TypeError, "expected samples of arrays and numbers; got 'a' at index 0"),
        ([(1, "b")], TypeError, r"got \(1, 'b'\) at index 0"),
    ):
        with pytest.raises(error, match=f"DataLoader: .*{match}"):
            list(DataLoader(samples, batch_size=2))
    traced = [(autodiff.variable(arraygrad.ones(2)), 1)]
    with pytest.raises(autodiff.NotDifferentiableError, match="DataLoader"):
        list(DataLoader(traced))


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "n": [1, 2, 3]}, index=[7, 8, 9])
    batch = list(DataLoader(frame, batch_size=2))[1]
    assert {name: x.tolist() for name, x in batch.items()} == {"x": [3.0], "n": [3]}
    assert batch["n"].dtype == arraygrad.int64
    columns, y = next(iter(DataLoader(frame[["x"]], frame["n"], batch_size=3)))
    assert (columns["x"].tolist(), y.tolist()) == ([1.0, 2.0, 3.0], [1, 2, 3])
    parts = random_split(frame, [2, 1], rng=rng())
    assert [set(p) for p in parts] == [{"x", "n"}] * 2
    assert sorted(parts[0]["n"].tolist() + parts[1]["n"].tolist()) == [1, 2, 3]
    with pytest.raises(TypeError, match="dtype"):
        DataLoader(pandas.DataFrame({"name": ["a", "b"]}))


def test_data_sets_of_pytorch():
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(torch.arange(6.0).reshape(3, 2), torch.arange(3))
    x, y = next(iter(DataLoader(dataset, batch_size=3)))
    assert (x.tolist(), y.tolist()) == ([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [0, 1, 2])


# ---- parts


@given(st.integers(0, 50), st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_parts_have_every_sample_once(n, weights):
    total = sum(weights)
    lengths = [w / total for w in weights] if total else [1.0]
    x = np.arange(n)
    parts = random_split((x, {"y": -x}), lengths, rng=rng())
    assert sorted(i for a, _ in parts for i in a.tolist()) == list(range(n))
    for a, other in parts:
        assert [-i for i in a.tolist()] == other["y"].tolist()
    sizes = [a.shape[0] for a, _ in parts]
    assert all(abs(size - n * f) < len(lengths) for size, f in zip(sizes, lengths, strict=True))
    exact = random_split(x, sizes, rng=rng())
    assert lists(exact) == [a.tolist() for a, _ in parts]


def test_what_remains_of_fractions_goes_to_the_first_parts():
    assert [len(p) for p in random_split(range(11), [0.25] * 4)] == [3, 3, 3, 2]
    assert [len(p) for p in random_split(range(5), [0.5, 0.5])] == [3, 2]
    assert [len(p) for p in random_split(range(5), [5, 0])] == [5, 0]


def test_parts_of_data_sets(device):
    train, test = random_split(Squares(10), [0.75, 0.25], rng=rng())
    assert (len(train), len(test)) == (8, 2)
    assert sorted(s["y"] for part in (train, test) for s in part) == [i * i for i in range(10)]
    assert repr(test) == "Subset(2 of 10 samples)"
    with pytest.raises(IndexError):
        test[2]
    batch = next(iter(DataLoader(test, batch_size=2)))
    assert batch["y"].tolist() == [test[0]["y"], test[1]["y"]]
    with arraygrad.default_device(device):
        x = arraygrad.arange(10)
        a, b = random_split(x, [7, 3])
    assert a.device is b.device is arraygrad.Device(device)
    assert sorted(a.tolist() + b.tolist()) == list(range(10))
    pairs = random_split([(i, -i) for i in range(4)], [2, 2])
    assert sorted(pair for part in pairs for pair in part) == [(i, -i) for i in range(4)]


def test_parts_that_are_refused():
    for args, match in (
        ((3, [0]), "dataset must have __len__ and __getitem__; got 3"),
        (("ab", 3), "indices must be a list of ints; got 3"),
        (("ab", [0.5]), "an index must be an int; got 0.5"),
    ):
        with pytest.raises(TypeError, match=f"Subset: {match}"):
            Subset(*args)
    x = np.arange(4)
    for dataset, lengths, error, match in (
        (x, [3, 2], ValueError, r"fractions with the sum 1, or ints with the sum 4; got \[3, 2\]"),
        (x, [0.5, 0.6], ValueError, "fractions"),
        (x, [-1, 5], ValueError, "fractions"),
        (x, 2, TypeError, "lengths must be a list of numbers; got 2"),
        (x, ["a"], TypeError, "a length must be a number; got 'a'"),
        ((x, x[1:]), [4], ValueError, "the first axes must have the same length"),
        ("text", [4], TypeError, "expected arrays; got 'text'"),
    ):
        with pytest.raises(error, match=f"random_split: .*{match}"):
            random_split(dataset, lengths)


# ---- refusals


def test_what_is_refused():
    x = np.arange(4)
    for arrays, options, error, match in (
        ((), {}, TypeError, "at least one"),
        (({},), {}, TypeError, "at least one array"),
        (([1, 2], x), {}, TypeError, r"got 1 in arrays\[0\]\[0\]; write"),
        (([],), {}, TypeError, r"at least one array; got \[\]"),
        ((x, 2), {}, TypeError, r"got 2 in arrays\[1\]; write .* by keyword"),
        (("text",), {}, TypeError, "expected arrays"),
        ((np.asarray(3),), {}, ValueError, "at least one axis"),
        ((x, {"y": x[1:]}), {}, ValueError, r"4 in arrays\[0\], 3 in arrays\[1\]\['y'\]"),
        ((x,), {"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ((x,), {"batch_size": 2.0}, TypeError, "batch_size must be an int"),
        ((x,), {"batch_size": True}, TypeError, "batch_size must be an int"),
        ((x,), {"prefetch": -1}, ValueError, "prefetch"),
        ((x,), {"shuffle": 3}, TypeError, "shuffle"),
        ((x,), {"shuffle": np.random.default_rng(0)}, TypeError, "shuffle"),
        ((object(),), {}, TypeError, "expected arrays; got <object"),
        ((x,), {"device": "moon"}, ValueError, "moon"),
        ((np.asarray(["a"]),), {}, TypeError, "dtype"),
    ):
        with pytest.raises(error, match=match):
            DataLoader(*arrays, **options)
    with pytest.raises(autodiff.NotDifferentiableError, match="DataLoader"):
        DataLoader(autodiff.variable(arraygrad.ones(3)))


def test_a_state_that_does_not_fit_changes_nothing():
    loader = DataLoader(np.arange(10), batch_size=3, shuffle=rng())
    list(loader)
    state = loader.state_dict()
    for change, match in (
        ({"samples": 11}, "samples is 11 in the state, not 10"),
        ({"batch_size": 4}, "batch_size is 4"),
        ({"seed": None}, "shuffled"),
        ({"position": 5}, "position 5 is out of range for 4"),
        ({"epoch": -1}, "epoch must be"),
        ({"more": 1}, "expected a dict of epoch"),
    ):
        with pytest.raises(ValueError, match=match):
            loader.load_state_dict(state | change)
        assert loader.state_dict() == state
    with pytest.raises(ValueError, match="expected a dict"):
        loader.load_state_dict(None)
    with pytest.raises(TypeError, match="position must be an int"):
        loader.load_state_dict(state | {"position": "2"})
