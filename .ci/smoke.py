"""Tries an installed wheel with the required dependencies: ``python .ci/smoke.py [--pure]``."""

import json
import sys
from importlib.metadata import distribution
from pathlib import Path

import arraygrad as xp
from arraygrad import autodiff, data, nn, optim

config = xp.show_config(mode="dict")
xp.show_config()
assert not Path(xp.__file__).is_relative_to(Path(__file__).parents[1] / "src"), xp.__file__
assert bool(config["compiled"]) == ("--pure" not in sys.argv), config["compiled"]

bill = json.loads(distribution("arraygrad").read_text("sboms/arraygrad.cdx.json"))
assert bill["metadata"]["component"]["version"] == xp.__version__
assert bool(bill["components"]) == bool(config["compiled"]), bill

# The standard, in place, and derivatives of both.
x = xp.reshape(xp.arange(6, dtype=xp.float64), (2, 3))
x[0, :] *= 2
assert xp.sum(x).item() == 18.0
assert autodiff.grad(lambda x: xp.sum(x**3))(xp.asarray(2.0)).item() == 12.0
value, tangent = autodiff.jvp(xp.sin, (xp.asarray(0.0),), (xp.asarray(1.0),))
assert (value.item(), tangent.item()) == (0.0, 1.0)
assert xp.linalg.solve(xp.eye(2), xp.ones(2)).tolist() == [1.0, 1.0]

# A network learns.
rng = xp.random.default_rng(0)
inputs = rng.standard_normal((64, 3))
targets = xp.sum(inputs, axis=1, keepdims=True)
model = nn.Sequential(nn.Linear(3, 8, rng=rng), nn.Tanh(), nn.Linear(8, 1, rng=rng))
optimizer = optim.Adam(model.parameters(), lr=0.05)
squared_error = nn.MSELoss()
losses = []
for _ in range(20):
    for batch, target in data.DataLoader(inputs, targets, batch_size=16):
        loss = squared_error(model(batch), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0] / 4, losses
print("arraygrad works")
