"""A tour of tensors on the CPU and, if there is one, a GPU: creation, shapes, views, conversions.

Each line of the first table shows an expression and its value on each device. The second table
shows the time of a matrix product on each device, which is also drawn.

    python examples/tensors.py [--sizes 128,256,512,1024] [--picture tensors.png]
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from tqdm import tqdm

import arraygrad as xp


def devices():
    """The CPU and, if there is one, the first GPU."""
    found = xp.__array_namespace_info__().devices()
    return [found[0], *(d for d in found if d.type == "cuda")][:2]


def tour(device):
    """Expressions, as text, and their values on a device."""
    a = xp.reshape(xp.arange(6.0, device=device), (2, 3))
    row = a[1]  # a view
    row[0] = 30.0
    names = {"xp": xp, "np": np, "device": device, "a": a, "row": row}
    expressions = [
        # creation
        "xp.zeros((2, 2), device=device)",
        "xp.asarray([[1, 2], [3, 4]], device=device)",
        "xp.ones_like(a, dtype=xp.int32)",
        "xp.linspace(0, 1, 5, device=device)",
        "xp.random.default_rng(0, device=device).random((2,)).shape",
        # attributes
        "(a.shape, a.ndim, a.size, a.dtype.name)",
        "a.device == device",
        # shapes and indexing; `row`, a view of `a`, was modified above
        "a",
        "a.mT",
        "xp.reshape(a, (3, 2))",
        "a[:, 1:]",
        "a[a > 3]",
        "xp.concat([a, a], axis=1).shape",
        # computation
        "a @ a.mT",
        "xp.sum(a, axis=0)",
        "xp.clip(a, 1, 4)",
        "float(xp.mean(a))",
        # conversion and transfer
        'type(a.to_device("cpu").numpy()).__name__',
        "xp.from_numpy(np.arange(3)).to_device(device)",
        "np.asarray(a.to_device('cpu')).sum()",
    ]
    return {text: eval(text, names) for text in expressions}


def shown(value):
    """A value as text on one line."""
    if isinstance(value, xp.Tensor):
        value = value.to_device("cpu").numpy().tolist()
    return str(value)


def product_seconds(device, n, repeats=7):
    """Median time of a product of two n by n float32 matrices, until the result is available."""
    a = xp.astype(xp.random.default_rng(0, device=device).random((n, n)), xp.float32)
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        float((a @ a)[0, 0])  # reading one element waits for the device
        times.append(time.perf_counter() - start)
    return median(times[1:])


def main(argv=None):
    """Show, measure and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="128,256,512,1024,2048")
    parser.add_argument("--picture", default="tensors.png")
    args = parser.parse_args(argv)
    mpl.use("agg")

    found = devices()
    results = {device: tour(device) for device in found}
    agree = True
    for text in results[found[0]]:
        values = [shown(results[device][text]) for device in found]
        agree &= len(set(values)) == 1
        print(f"{text:<58} {'   '.join(dict.fromkeys(values))}")
    print(f"\nthe same on {' and '.join(map(str, found))}: {'yes' if agree else 'NO'}\n")

    sizes = [int(n) for n in args.sizes.split(",")]
    seconds = {device: [] for device in found}
    for n in tqdm(sizes, desc="products", disable=None):
        for device in found:
            seconds[device].append(product_seconds(device, n))
    print(f"{'n':>6} " + " ".join(f"{f'{d}, ms':>12}" for d in found))
    for i, n in enumerate(sizes):
        print(f"{n:>6} " + " ".join(f"{seconds[d][i] * 1e3:>12.3f}" for d in found))

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for device in found:
        axes.loglog(sizes, seconds[device], "o-", label=str(device))
    axes.set(xlabel="n", ylabel="seconds", title="product of two n by n matrices, float32")
    axes.legend()
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
