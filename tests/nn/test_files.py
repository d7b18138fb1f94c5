"""Parameters in files."""

import importlib.util
import json
import os

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


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.safetensors"
    x = arraygrad.ones(2)
    nn.save({"x": x}, path)
    before = path.read_bytes()
    for bad, message in (
        ({1: x}, "save: expected a Tensor for each name; got 1"),
        (nn.Linear(1, 1), "save: .*state_dict.*; got Linear"),
        ({"x": [1.0]}, "save: .*'x': \\[1.0\\]"),
        ({"x": arraygrad.ones(1, dtype="complex128")}, "save: x: .*complex128"),
    ):
        with pytest.raises(TypeError, match=message):
            nn.save(bad, path)
    with pytest.raises(OSError, match="no folder"):
        nn.save({"x": x}, tmp_path / "no folder" / "x")
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
