"""Parameters in files."""

import importlib.util
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from nn.support import Net

import arraygrad
from arraygrad import autodiff, nn


def test_files(xp, same, tmp_path):
    path = tmp_path / "net.safetensors"
    net = Net(xp)
    state = net.state_dict() | {
        "transposed": xp.reshape(xp.arange(6), (2, 3)).T,
        "bools": xp.asarray([True, False]),
        "half": xp.zeros((0, 2), dtype=xp.uint8),
        "complex": xp.asarray([1j], dtype=xp.complex64),
        "variable": autodiff.variable(xp.ones(2)),
    }
    nn.save(state, path)
    nn.save(state, str(path))  # again, over it
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    loaded = nn.load(path)
    assert loaded.keys() == state.keys()
    for name, x in state.items():
        assert loaded[name].device is x.device
        same(loaded[name], autodiff.stop_gradient(x).numpy())
    other = Net(xp)
    other.load_state_dict({k: loaded[k] for k in net.state_dict()})
    x = xp.ones((2, 3))
    same(other(x).detach(), net(x).detach().numpy())
    loaded["scale"] += 1.0  # memory of its own, and writable
    from safetensors.numpy import load_file

    np.testing.assert_array_equal(load_file(path)["transposed"], [[0, 3], [1, 4], [2, 5]])
    assert nn.load(path, device="cpu")["scale"].device == "cpu"


def test_files_that_are_not_whole(tmp_path):
    path = tmp_path / "net.safetensors"
    nn.save(nn.Linear(20, 30).state_dict(), path)
    data = path.read_bytes()
    for part in (b"", data[:4], data[:40], data[: len(data) // 2], data[:-1], b"x" * 200,
                 data + b"more", data[:8] + b"[" + data[9:]):  # fmt: skip
        path.write_bytes(part)
        with pytest.raises(ValueError, match=r"load: .*net.safetensors is not a complete"):
            nn.load(path)
    header = b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(TypeError, match=r"load: .*dtype"):
        nn.load(path)
    if importlib.util.find_spec("ml_dtypes"):  # with which NumPy knows it, unlike the standard
        importlib.import_module("ml_dtypes")
        with pytest.raises(TypeError, match=r"load: .*dtype"):
            nn.load(path)
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "none")


def test_every_malformed_header_names_the_file(tmp_path):
    path = tmp_path / "net.safetensors"
    headers = [
        {"x": {"dtype": "F64", "shape": shape, "data_offsets": [0, size]}}
        for shape, size in (
            ([0, 2**63], 0),
            ([2**40, 0, 2**40], 0),
            ([1] * 70, 8),
            ([2**62, 2**62], 8),
            ([-1], 8),
            ([2], 8),
        )
    ]
    tensor = headers[0]["x"]
    for header in (*headers, {"x": {}}, {"__metadata__": tensor}, [], None, {"x": 1}):
        data = json.dumps(header).encode()
        path.write_bytes(len(data).to_bytes(8, "little") + data + b"\0" * 8)
        with pytest.raises(ValueError, match=r"load: .*net\.safetensors"):
            nn.load(path)
    for dtype in ("F8_E4M3", "BF16"):
        data = json.dumps({"x": {"dtype": dtype, "shape": [0], "data_offsets": [0, 0]}}).encode()
        path.write_bytes(len(data).to_bytes(8, "little") + data)
        with pytest.raises((TypeError, ValueError), match=r"load: .*net\.safetensors"):
            nn.load(path)
    with pytest.raises(OSError, match=r"load: .*cannot be read"):
        nn.load(tmp_path)
    for function in (nn.load, lambda path: nn.save({"x": arraygrad.ones(1)}, path)):
        with pytest.raises(TypeError, match="path must be a string or path; got 3"):
            function(3)


def test_saving_leaves_other_files_alone(tmp_path):
    x = {"x": arraygrad.ones(2)}
    for name in ("model.tmp", ".tmp", "model.safetensors.tmp"):
        (tmp_path / name).write_text("mine")
    for path in (tmp_path / "model", tmp_path / "model.safetensors", os.fsencode(tmp_path / "b")):
        nn.save(x, path)
        assert nn.load(path)["x"].tolist() == [1.0, 1.0]
    with pytest.raises(OSError, match=r"save: .*cannot be written"):
        nn.save(x, tmp_path)
    for name in ("model.tmp", ".tmp", "model.safetensors.tmp"):
        assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 6
    (tmp_path / "link").symlink_to(tmp_path / "model")
    nn.save({"y": arraygrad.zeros(1)}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert list(nn.load(tmp_path / "model")) == ["y"]
    nn.save(x, tmp_path / ("n" * 255))  # as long as a name may be


@pytest.mark.parametrize("name", ["__metadata__", "a\ud800"])
def test_a_name_that_no_file_can_hold(tmp_path, name):
    with pytest.raises(ValueError, match="save: the format does not have the name"):
        nn.save({name: arraygrad.ones(1)}, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_loading_to_no_device_blames_the_device(tmp_path):
    nn.save({"x": arraygrad.ones(2)}, tmp_path / "x.safetensors")
    with pytest.raises(TypeError, match="load: expected a name"):
        nn.load(tmp_path / "x.safetensors", device=5)


def test_a_checkpoint_has_numbers_texts_and_containers(xp, same, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    rng = xp.random.default_rng(3)
    found = {
        "model": {"a.b": xp.arange(3.0), "a": {"b": xp.ones(2, dtype=xp.float32)}},
        "model.a": {"b": xp.zeros(1)},
        "rng": rng.state,
        "epoch": np.int64(3),
        "rates": [0.1, -0.0, math.inf, 5e-324, np.float32(0.1)],
        "words": ("naïve", "\ud800", None, True, ()),
        "big": 2**100,
        "nothing": {},
    }
    nn.save(found, path)
    again = nn.load(path)
    assert list(again) == list(found)
    for a, b in (
        (again["model"]["a.b"], found["model"]["a.b"]),
        (again["model"]["a"]["b"], found["model"]["a"]["b"]),
        (again["model.a"]["b"], found["model.a"]["b"]),
    ):
        same(a, b.numpy())
        assert a.device is b.device
    rest = {k: x for k, x in found.items() if not k.startswith("model")}
    assert repr({k: again[k] for k in rest}) == repr(rest | {
        "epoch": 3, "rates": [*rest["rates"][:4], float(np.float32(0.1))]
    })  # fmt: skip
    expected = rng.random(5).numpy()
    other = xp.random.default_rng(0)
    other.state = again["rng"]
    same(other.random(5), expected)
    from safetensors.numpy import load_file

    assert sorted(load_file(path)) == ["model.a.b", "model.a.b_", "model.a.b__"]
    assert math.isnan(nn.load(_saved({"x": math.nan}, path))["x"])
    assert nn.load(_saved({}, path)) == {}


def _saved(found, path):
    nn.save(found, path)
    return path


def test_metadata_that_is_no_checkpoint(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "x.safetensors"
    for text in (
        "",
        "{",
        "[1]",
        '{"x": {"tensor": "y"}}',
        '{"x": {"call": "print"}}',
        '{"x": {}}',
        '{"x": {"dict": 3}}',
        '{"x": ' + "[" * 5000 + "]" * 5000 + "}",
    ):
        save_file({"x": np.ones(1)}, path, {"arraygrad": text})
        with pytest.raises(ValueError, match=r"load: the metadata of .*x\.safetensors do not"):
            nn.load(path)
    save_file({"x": np.ones(1)}, path, {"format": "pt"})  # of another library
    assert nn.load(path)["x"].tolist() == [1.0]


PROGRAM = """
import sys
import arraygrad as xp
from arraygrad import data, nn, optim

def make():
    rng = xp.random.default_rng(1)
    model = nn.Sequential(
        nn.Linear(3, 8, rng=rng), nn.BatchNorm1d(8), nn.Dropout(0.3, rng=rng), nn.GELU(),
        nn.Linear(8, 1, rng=rng),
    )
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    schedule = optim.OneCycleLR(optimizer, max_lr=0.05, total_steps=24)
    points = xp.random.default_rng(2).standard_normal((20, 3))
    loader = data.DataLoader(points, batch_size=6, shuffle=rng)
    return rng, {"model": model, "optimizer": optimizer, "schedule": schedule, "loader": loader}

def train(parts, steps):
    losses = []
    while steps:
        for x in parts["loader"]:
            parts["optimizer"].zero_grad()
            loss = nn.mse(parts["model"](x), xp.sum(x, axis=1, keepdims=True))
            loss.backward()
            parts["optimizer"].step()
            parts["schedule"].step()
            losses.append(float(loss))
            steps -= 1
            if not steps:
                break
    return losses

def saved(rng, parts, losses):
    states = {name: part.state_dict() for name, part in parts.items()}
    return states | {"rng": rng.state, "losses": losses}

def restored(path):
    rng, parts = make()
    found = nn.load(path)
    for name, part in parts.items():
        part.load_state_dict(found[name])
    rng.state = found["rng"]
    return rng, parts, found["losses"]

if __name__ == "__main__":
    path, steps = sys.argv[1], int(sys.argv[2])
    rng, parts, losses = restored(path)
    losses += train(parts, steps)
    nn.save(saved(rng, parts, losses), path)
"""


def test_a_run_that_another_process_continues_is_the_same_bit_for_bit(tmp_path):
    path, program = tmp_path / "checkpoint.safetensors", tmp_path / "program.py"
    program.write_text(PROGRAM)
    names = {"__name__": "program"}
    exec(PROGRAM, names)
    rng, parts = names["make"]()
    losses = names["train"](parts, 18)
    whole = names["saved"](rng, parts, losses)
    rng, parts = names["make"]()
    nn.save(names["saved"](rng, parts, names["train"](parts, 7)), path)  # in the second epoch
    for _ in range(2):
        subprocess.run([sys.executable, program, path, "5"], check=True, env=dict(os.environ))
    subprocess.run([sys.executable, program, path, "1"], check=True, env=dict(os.environ))
    again = nn.load(path)
    assert again["losses"] == losses
    assert len(set(losses)) == 18
    for part in ("model", "optimizer"):
        assert list(again[part]) == list(whole[part])
        for name, x in whole[part].items():
            assert again[part][name].numpy().tobytes() == x.numpy().tobytes(), name
    for part in ("schedule", "loader", "rng"):
        assert again[part] == whole[part]


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.safetensors"
    x = arraygrad.ones(2)
    nn.save({"x": x}, path)
    before = path.read_bytes()
    for bad, message in (
        ({1: x}, "save: expected a string for each name; got 1: Tensor"),
        ({"x": {"y": {2: x}}}, "save: expected a string for each name; got 2: Tensor"),
        (nn.Linear(1, 1), "save: .*state_dict.*; got Linear"),
        ({"x": object()}, "save: expected a Tensor for each name, or a number, .*; got 'x': <obj"),
        ({"x": [1, {2}]}, r"save: expected a Tensor for each name, or .*; got 1: \{2\}"),
        ({"x": 1j}, "save: .*; got 'x': 1j"),
        ({"x": np.ones(2)}, "save: .*; got 'x': ndarray"),
        ({"x": arraygrad.ones(1, dtype="complex128")}, "save: x: .*complex128"),
    ):
        with pytest.raises(TypeError, match=message):
            nn.save(bad, path)
    with pytest.raises(OSError, match="no folder"):
        nn.save({"x": x}, tmp_path / "no folder" / "x")
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
