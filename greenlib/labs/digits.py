"""A small data set made on the spot, and a small network to learn it, with gradients written by hand.

The pictures are the digits 0 to 9 in the typefaces that come with matplotlib, turned, slanted, shifted, stretched,
faded and covered with noise, on 8 × 8 points. Nothing is downloaded, and as many as wanted can be made. The network is
a multilayer perceptron: each layer a matrix, a bias and, but for the last, a rectifier.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from greenlib.checks import AlignmentError, integer, number

__all__ = [
    "CLASSES",
    "SIDE",
    "Digits",
    "Epoch",
    "Network",
    "accuracy",
    "digits",
    "gradients",
    "new_network",
    "one_hot",
    "softmax",
    "train",
    "training",
]

SIDE = 8
"""Points on each side of a picture."""
CLASSES = 10
"""Digits to tell apart."""

_TYPEFACES = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSansMono",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "cmr10",
    "cmss10",
    "cmtt10",
    "cmb10",
)
_GLYPH_SIDE, _GLYPH_HEIGHT = 64, 40
_PLACES = 3
_PICTURES_AT_ONCE = 256
_DECAY_MEAN, _DECAY_SQUARE = 0.9, 0.999


class Digits(NamedTuple):
    """Pictures of digits: ``images`` of shape (n, 64) with grey values around 0 to 1, and ``labels`` from 0 to 9."""

    images: np.ndarray
    labels: np.ndarray


@functools.cache
def _glyphs() -> np.ndarray:
    """Draw every digit in every typeface once, large: shape (typefaces, digits, side, side), ink from 0 to 1."""
    import matplotlib
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    renderer = RendererAgg(_GLYPH_SIDE * CLASSES, _GLYPH_SIDE * len(_TYPEFACES), 72)
    for row, typeface in enumerate(_TYPEFACES):
        properties = FontProperties(fname=folder / f"{typeface}.ttf")
        for digit in range(CLASSES):
            outline = TextPath((0, 0), str(digit), size=_GLYPH_HEIGHT, prop=properties)
            box = outline.get_extents()
            place = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
            place.scale(_GLYPH_HEIGHT / box.height)
            place.translate(_GLYPH_SIDE * (digit + 0.5), _GLYPH_SIDE * (len(_TYPEFACES) - row - 0.5))
            renderer.draw_path(renderer.new_gc(), outline, place, (0, 0, 0))
    ink = np.asarray(renderer.buffer_rgba())[..., 3].astype(np.float32) / 255
    return ink.reshape(len(_TYPEFACES), _GLYPH_SIDE, CLASSES, _GLYPH_SIDE).swapaxes(1, 2)


def digits(n: int, *, seed: int, noise: float = 0.1) -> Digits:
    """Return ``n`` pictures of printed digits, each distorted in its own way.

    Typeface, digit and distortion are drawn anew for every picture, so two seeds give two samples of one population:
    one to learn from, another to be tested on.

    Args:
        n: Number of pictures; 1 or more.
        seed: Seed of the random numbers; the same seed gives the same pictures.
        noise: Standard deviation of the noise on each point, where full ink is 1; 0 to 10.

    Returns:
        A :class:`Digits`, float32 images and integer labels.

    Raises:
        ArgumentError: An argument is out of range.
        ArgumentTypeError: An argument is not a number.

    Taught in 06, 07 and 13.

    Example:
        >>> images, labels = digits(500, seed=1)
        >>> images.shape, labels.shape, sorted(set(labels.tolist()))
        ((500, 64), (500,), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    n, seed, noise = integer("n", n, low=1), integer("seed", seed, low=0), number("noise", noise, "[0, 10]")
    generator = np.random.default_rng(seed)
    labels = generator.integers(CLASSES, size=n)
    typefaces = generator.integers(len(_TYPEFACES), size=n)
    angle = generator.uniform(-0.25, 0.25, n)
    slant = generator.uniform(-0.2, 0.2, n)
    width, height = generator.uniform(0.8, 1.1, (2, n))
    shift = generator.uniform(-0.1, 0.1, (2, n, 1))

    ink = np.concatenate(
        [
            _ink(*(array[part] for array in (labels, typefaces, angle, slant, width, height)), shift[:, part])
            for part in (slice(start, start + _PICTURES_AT_ONCE) for start in range(0, n, _PICTURES_AT_ONCE))
        ]
    )
    images = ink * generator.uniform(0.6, 1, (n, 1)) + generator.normal(0, noise, ink.shape)
    return Digits(images.astype(np.float32), labels)


def _ink(labels, typefaces, angle, slant, width, height, shift) -> np.ndarray:
    """Return distorted glyphs without noise: each point is the mean of places on the large glyph."""
    # The distortion is undone: a place of the picture is turned, slanted and stretched back onto the glyph.
    per_side = SIDE * _PLACES
    axis = (np.arange(per_side) + 0.5) / per_side - 0.5
    down, right = axis[:, None] - shift[0, :, :, None], axis - shift[1, :, :, None]
    cos, sin, slant, width, height = (
        array[:, None, None] for array in (np.cos(angle), np.sin(angle), slant, width, height)
    )
    turned_down = cos * down - sin * right
    turned_right = (sin * down + cos * right + slant * turned_down) / width
    # Undistorted, a glyph is as high as 0.95 of the picture.
    points, middle, last = _GLYPH_HEIGHT / 0.95, (_GLYPH_SIDE - 1) / 2, _GLYPH_SIDE - 1
    row = np.clip(np.rint(turned_down / height * points + middle), 0, last).astype(np.int32)
    column = np.clip(np.rint(turned_right * points + middle), 0, last).astype(np.int32)
    glyph = (typefaces * CLASSES + labels)[:, None, None]
    ink = _glyphs().ravel()[(glyph * _GLYPH_SIDE + row) * _GLYPH_SIDE + column]
    return ink.reshape(-1, SIDE, _PLACES, SIDE, _PLACES).mean(axis=(2, 4)).reshape(-1, SIDE * SIDE)


@dataclass(frozen=True, slots=True)
class Network:
    """A multilayer perceptron: one weight matrix (inputs, outputs) and one bias vector a layer."""

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(part.size for part in (*self.weights, *self.biases))

    @property
    def bytes(self) -> int:
        """Size of the weights and biases in bytes."""
        return sum(part.nbytes for part in (*self.weights, *self.biases))

    def in_one_array(self) -> tuple[np.ndarray, Network]:
        """Return a copy as one flat array, and the network whose weights and biases are views of it."""
        parts = (*self.weights, *self.biases)
        flat = np.concatenate([part.ravel() for part in parts])
        ends = np.cumsum([part.size for part in parts])
        views = [flat[end - part.size : end].reshape(part.shape) for end, part in zip(ends, parts, strict=True)]
        return flat, Network(tuple(views[: len(self.weights)]), tuple(views[len(self.weights) :]))

    def activations(self, images: np.ndarray) -> list[np.ndarray]:
        """Return what each layer is given, the images first, and last the logits."""
        *hidden, last = zip(self.weights, self.biases, strict=True)
        given = [images]
        for weight, bias in hidden:
            given.append(np.maximum(given[-1] @ weight + bias, 0))
        return [*given, given[-1] @ last[0] + last[1]]

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return ten numbers an image, whose softmax is the network's answer."""
        return self.activations(images)[-1]


def new_network(hidden: Sequence[int] = (32,), *, seed: int) -> Network:
    r"""Return an untrained network for the digits.

    Weights are normal with variance :math:`2 / \mathrm{inputs}`, biases 0.

    Args:
        hidden: Width of each hidden layer, each 1 or more; empty for a linear classifier.
        seed: Seed of the random numbers.

    Returns:
        A :class:`Network` in float32.

    Raises:
        ArgumentError: A width or the seed is out of range.
        ArgumentTypeError: A width is not a whole number.

    Source: he2015delving. Taught in 13.

    Example:
        >>> new_network([32], seed=0).parameters == (64 + 1) * 32 + (32 + 1) * 10
        True
    """
    widths = [SIDE * SIDE, *(integer("hidden", width, low=1) for width in hidden), CLASSES]
    generator = np.random.default_rng(integer("seed", seed, low=0))
    return Network(
        tuple(
            generator.normal(0, math.sqrt(2 / inputs), (inputs, outputs)).astype(np.float32)
            for inputs, outputs in pairwise(widths)
        ),
        tuple(np.zeros(outputs, np.float32) for outputs in widths[1:]),
    )


def softmax(logits: np.ndarray, *, temperature: float = 1.0) -> np.ndarray:
    r"""Return the probabilities that a network gives to the ten digits.

    .. math:: p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}

    Args:
        logits: Unnormalised log-probabilities :math:`z`, shape (..., classes).
        temperature: :math:`T`, above 0; above 1 it evens the probabilities out.

    Returns:
        Probabilities of the same shape.

    Raises:
        ArgumentError: The temperature is not above 0.

    Source: hinton2015distilling. Taught in 06.

    Example:
        >>> softmax(np.array([0.0, 0.0])), softmax(np.array([9.0, 0.0]), temperature=1e6).round(3)
        (array([0.5, 0.5]), array([0.5, 0.5]))
    """
    temperature = number("temperature", temperature, "(0, inf)")
    logits = logits / np.asarray(temperature, logits.dtype)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Return labels as probabilities: 1 for the digit it is, 0 for the others.

    Args:
        labels: Whole numbers from 0 to 9, one-dimensional.

    Returns:
        Shape (labels, 10), float32.

    Example:
        >>> one_hot(np.array([3])).tolist()
        [[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    return np.eye(CLASSES, dtype=np.float32)[labels]


def accuracy(network: Network, test: Digits) -> float:
    """Return the share of the pictures that a network reads correctly.

    Args:
        network: The network.
        test: Pictures and what they show; other ones than the network was trained on.

    Returns:
        A fraction from 0 to 1.

    Example:
        >>> accuracy(new_network(seed=0), digits(1000, seed=1)) < 0.3
        True
    """
    return float((network.logits(test.images).argmax(axis=1) == test.labels).mean())


def gradients(
    network: Network, images: np.ndarray, targets: np.ndarray, *, temperature: float = 1.0
) -> tuple[float, Network]:
    r"""Return the loss of a network and its gradients, by the chain rule, layer by layer from the end.

    .. math:: L = -\frac{T^2}{n} \sum_{k=1}^{n} \sum_i q_{ki} \ln p_{ki}(T)

    With :math:`T^2` in front the gradients keep their size when the temperature changes.

    Args:
        network: The network.
        images: Shape (n, 64).
        targets: What it should answer, probabilities :math:`q` of shape (n, 10).
        temperature: :math:`T` of the network's own probabilities :math:`p`; above 0.

    Returns:
        The mean loss, and the gradients in the shape of a :class:`Network`.

    Raises:
        ArgumentError: The temperature is not above 0.

    Source: hinton2015distilling. Taught in 06.

    Example:
        >>> images, labels = digits(100, seed=1)
        >>> loss, slope = gradients(new_network(seed=0), images, one_hot(labels))
        >>> slope.weights[0].shape
        (64, 32)
    """
    *given, logits = network.activations(images)
    answers = softmax(logits, temperature=temperature)
    loss = -(temperature**2) * float(np.vdot(targets, np.log(answers + 1e-12))) / len(images)
    error = (answers - targets) * np.float32(temperature / len(images))
    weights, biases = [], []
    for layer in reversed(range(len(given))):
        weights.append(given[layer].T @ error)
        biases.append(error.sum(axis=0))
        if layer:
            # What the rectifier has set to 0 passes no error on.
            error = (error @ network.weights[layer].T) * (given[layer] > 0)
    return loss, Network(tuple(reversed(weights)), tuple(reversed(biases)))


class Epoch(NamedTuple):
    """The state of a training after one pass through the pictures, counted from 1."""

    epoch: int
    loss: float
    network: Network


def training(
    images: np.ndarray,
    targets: np.ndarray,
    *,
    hidden: Sequence[int] = (32,),
    epochs: int = 20,
    learning_rate: float = 1e-2,
    batch_size: int = 32,
    temperature: float = 1.0,
    seed: int = 0,
) -> Iterator[Epoch]:
    r"""Train a network with Adam and hand it out after every epoch.

    The learning rate falls to 0 along half a cosine. The same arguments give the same network on the same machine.

    Args:
        images: Shape (n, 64).
        targets: Labels of shape (n,), or probabilities of shape (n, 10).
        hidden: Width of each hidden layer; empty for a linear classifier.
        epochs: Passes through the pictures; 1 or more.
        learning_rate: Step size at the start; above 0, at most 10.
        batch_size: Pictures a step; 1 or more.
        temperature: Temperature of the network's probabilities in the loss; above 0.
        seed: Seed of the first weights and of the order of the pictures.

    Returns:
        An iterator of :class:`Epoch`; the loss is the mean over the steps of the epoch.

    Raises:
        AlignmentError: There are not as many targets as images.
        ArgumentError: An argument is out of range.
        ArgumentTypeError: An argument is of the wrong kind.

    Source: kingma2014adam. Taught in 06 and 13.

    Example:
        >>> images, labels = digits(500, seed=1)
        >>> losses = [epoch.loss for epoch in training(images, labels, epochs=5)]
        >>> len(losses), losses[-1] < losses[0]
        (5, True)
    """
    images, targets = np.asarray(images, np.float32), np.asarray(targets)
    if len(images) != len(targets) or not len(images):
        raise AlignmentError("targets", f"{len(targets)} targets", f"one for each of the {len(images)} images")
    targets = one_hot(targets) if targets.ndim == 1 else targets.astype(np.float32)
    epochs, batch_size = integer("epochs", epochs, low=1), integer("batch_size", batch_size, low=1)
    learning_rate = number("learning_rate", learning_rate, "(0, 10]")
    temperature = number("temperature", temperature, "(0, inf)")
    network = new_network(hidden, seed=seed)
    return _epochs(network, images, targets, epochs, learning_rate, batch_size, temperature, seed)


def _epochs(
    network: Network,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int,
    learning_rate: float,
    batch_size: int,
    temperature: float,
    seed: int,
) -> Iterator[Epoch]:
    generator = np.random.default_rng([seed, 1])
    # Adam treats every number alike, so weights and biases lie in one array, of which the network's are views.
    numbers, network = network.in_one_array()
    mean, square = np.zeros_like(numbers), np.zeros_like(numbers)
    step, steps = 0, epochs * math.ceil(len(images) / batch_size)
    for epoch in range(1, epochs + 1):
        order, losses = generator.permutation(len(images)), []
        for start in range(0, len(images), batch_size):
            chosen = order[start : start + batch_size]
            loss, slopes = gradients(network, images[chosen], targets[chosen], temperature=temperature)
            slope = np.concatenate([part.ravel() for part in (*slopes.weights, *slopes.biases)])
            losses.append(loss)
            rate = learning_rate * (1 + math.cos(math.pi * step / steps)) / 2
            step += 1
            rate *= math.sqrt(1 - _DECAY_SQUARE**step) / (1 - _DECAY_MEAN**step)
            mean += (1 - _DECAY_MEAN) * (slope - mean)
            square += (1 - _DECAY_SQUARE) * (slope * slope - square)
            numbers -= rate * mean / (np.sqrt(square) + 1e-8)
        # The weights go on changing in place, so a network that is handed out is a copy.
        yield Epoch(epoch, float(np.mean(losses)), network.in_one_array()[1])


def train(images: np.ndarray, targets: np.ndarray, **settings: Any) -> Network:
    """Train a network to the end.

    Args:
        images: Shape (n, 64).
        targets: Labels of shape (n,), or probabilities of shape (n, 10).
        **settings: Those of :func:`training`.

    Returns:
        The trained :class:`Network`.

    Raises:
        AlignmentError: There are not as many targets as images.
        ArgumentError: An argument is out of range.
        ArgumentTypeError: An argument is of the wrong kind.

    Taught in 06, 07 and 13.

    Example:
        >>> network = train(*digits(1000, seed=1), epochs=10)
        >>> accuracy(network, digits(1000, seed=2)) > 0.6
        True
    """
    *_, last = training(images, targets, **settings)
    return last.network
