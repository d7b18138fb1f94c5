"""A convolutional network that classifies scikit-learn's handwritten digits.

There are 1,797 images of 8 by 8 pixels, a fifth of them for testing. During training, images are
shifted by up to one pixel. Prints loss and accuracy during training, and draws misclassified
images.

    python examples/digits_convnet.py [--epochs 40] [--device cpu] [--picture digits_convnet.png]
"""

from __future__ import annotations

import argparse
import sys
import time

import matplotlib as mpl
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import arraygrad as xp
from arraygrad import autodiff, data, nn, optim


class Net(nn.Module):
    """Two convolutions, a pooling layer and two dense layers."""

    def __init__(self, rng):
        self.first = nn.Conv2d(1, 16, 3, padding=1, rng=rng)
        self.second = nn.Conv2d(16, 32, 3, padding=1, rng=rng)
        self.pool = nn.MaxPool2d(2)
        self.dense = nn.Linear(32 * 4 * 4, 64, rng=rng)
        self.out = nn.Linear(64, 10, rng=rng)

    def forward(self, x):
        """Logits of the ten digits for images of shape (n, 1, 8, 8)."""
        x = nn.relu(self.first(x))
        x = self.pool(nn.relu(self.second(x)))
        x = nn.relu(self.dense(xp.reshape(x, (x.shape[0], -1))))
        return self.out(x)


def best_device():
    """The first GPU or, without one, the CPU."""
    devices = xp.__array_namespace_info__().devices()
    return next((d for d in devices if d.type == "cuda"), devices[0])


def digits(device):
    """Images and digits, for training and testing."""
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 1, 8, 8) / 16).astype("float32")
    parts = train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)
    return [xp.from_numpy(part).to_device(device) for part in parts]


def predict(model, images):
    """The most likely digits."""
    with autodiff.no_grad():
        return xp.argmax(model(images), axis=1)


def moved(images, rng):
    """Images shifted by up to one pixel to each side."""
    framed = xp.zeros((images.shape[0], 1, 10, 10), dtype=images.dtype, device=images.device)
    framed[:, :, 1:9, 1:9] = images
    i, j = (int(k) for k in rng.integers(0, 3, size=2))
    return framed[:, :, i : i + 8, j : j + 8]


def train(model, images, labels, epochs, report):
    """Train with Adam, with a learning rate that decreases to zero along a cosine."""
    rng = xp.random.default_rng(1, device="cpu")  # reading numbers from a GPU would wait
    optimiser = optim.Adam(model.parameters(), lr=3e-3)
    schedule = optim.CosineAnnealingLR(optimiser, T_max=epochs)
    batches = data.DataLoader(images, labels, batch_size=64, shuffle=rng)
    for epoch in range(epochs):
        for some, digit in batches:
            loss = nn.cross_entropy(model(moved(some, rng)), digit)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
        report(epoch + 1, float(loss))


def main(argv=None):
    """Train, test and draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--device", help="where to compute (the first GPU, or the CPU)")
    parser.add_argument("--picture", default="digits_convnet.png")
    parser.add_argument("--weights", help="where to save them, as safetensors")
    args = parser.parse_args(argv)
    mpl.use("agg")

    device = xp.Device(args.device) if args.device else best_device()
    images, test_images, labels, test_labels = digits(device)
    model = Net(xp.random.default_rng(0)).to_device(device).astype(xp.float32)
    start = time.perf_counter()

    def accuracy():
        right = predict(model, test_images) == test_labels
        return float(xp.mean(xp.astype(right, xp.float32)))

    def report(epoch, loss):
        print(f"epoch {epoch:>3}   loss {loss:.4f}   accuracy {accuracy():.4f}", flush=True)

    train(model, images, labels, args.epochs, report)
    seconds = time.perf_counter() - start
    found = predict(model, test_images)
    share = accuracy()
    print(f"accuracy on {test_labels.size} images: {share:.4f}, after {seconds:.0f} s on {device}")
    if args.weights:
        nn.save(model.state_dict(), args.weights)
        print(f"weights: {args.weights}")

    wrong = [int(i) for i in xp.nonzero(found != test_labels)[0]][:8]
    shown = [*wrong, *(i for i in range(8) if i not in wrong)][:8]
    figure, panels = plt.subplots(1, 8, figsize=(12, 2), layout="constrained")
    for panel, i in zip(panels, shown, strict=True):
        panel.imshow(test_images[i, 0].to_device("cpu").numpy(), cmap="gray_r")
        read, true = int(found[i]), int(test_labels[i])
        title = f"{read}" if read == true else f"{read}, but {true}"
        panel.set(title=title, xticks=[], yticks=[])
    figure.savefig(args.picture, dpi=120)
    print(f"picture: {args.picture}")
    return 0 if share >= (0.98 if args.epochs >= 40 else 0.5) else 1


if __name__ == "__main__":
    sys.exit(main())
