"""Networks train to PyTorch's losses, given its weights and batches; memory stays flat."""

import gc
import itertools
import tracemalloc

import pytest

from benchmarks import training


@pytest.mark.parametrize("name", ["two_layers", "mlp", "classifier", "convnet"])
def test_losses_are_pytorchs(name):
    pytest.importorskip("torch")
    problem = getattr(training, name)
    ours, theirs = (training.losses(problem(lib("float64")), 50)
                    for lib in (training.Ours, training.Torch))  # fmt: skip
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert ours[-1] < ours[0]


@pytest.mark.parametrize(("name", "steps"), [("two_layers", 40), ("classifier", 400)])
def test_losses_fall_and_memory_stays(name, steps):
    step = getattr(training, name)(training.Ours("float32"))
    first = float(step())
    gc.collect()
    gc.disable()  # nothing that training leaves needs it
    tracemalloc.start()
    try:
        sizes = []
        for _ in range(10):
            training.losses(step, steps)
            sizes.append(tracemalloc.get_traced_memory()[0])
        # Python's own lists of free objects fill up at times; what leaks does in every round.
        assert min(b - a for a, b in itertools.pairwise(sizes)) < 20 * steps
    finally:
        tracemalloc.stop()
        gc.enable()
    assert float(step()) < first
