r"""A character-level language model in NumPy, dense or with experts, its gradients written out by hand.

From the last few characters the model guesses the next one:

1. each character becomes a short vector (``embedding``), and together they become one vector :math:`h` (``mix``);
2. a feed-forward block adds to it: one wide block in a dense model, or the :math:`k` of :math:`E` narrow blocks, the
   experts, that a ``router`` picks for this character;
3. ``head`` turns the sum into one score for each of the 96 characters.

A dense model is the case of one expert and no router, so both run through the same lines. The loss is the surprise in
bits at the true next character, plus the load-balancing loss of the Switch Transformer, without which a router
sends everything to a few experts that then learn everything.

Why NumPy: in one run on one core, JAX 0.10 took 0.7 times as long for a training step of the lab's small dense model,
0.9 times for the large one, and 1.8 times for the sparse one, where fixed shapes make every expert compute every
character. It compiles for 0.6 to 1.3 seconds a model and adds 500 MB, and PyTorch adds more. And here every operation
can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from greenlib.checks import ArgumentError, integer, number
from greenlib.labs.text import ALPHABET, decode, encode, windows

__all__ = [
    "Shape",
    "active_params",
    "bits_per_character",
    "initial",
    "loss",
    "predict",
    "sample",
    "total_params",
    "train",
]

Weights = dict[str, np.ndarray]

BALANCE = 0.1
"""Weight of the load-balancing loss: with a tenth of it, the experts gained half as much over a dense block."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a model: characters it sees, width of its vectors, hidden units of an expert, and experts."""

    context: int = 16
    embedding: int = 16
    width: int = 64
    hidden: int = 128
    experts: int = 1
    experts_per_token: int = 1

    def __post_init__(self) -> None:
        for name in ("context", "embedding", "width", "hidden", "experts"):
            integer(name, getattr(self, name), low=1)
        integer("experts_per_token", self.experts_per_token, low=1, high=self.experts)
        if self.experts > 1 and self.experts_per_token == self.experts:
            raise ArgumentError("experts_per_token", self.experts, "below experts, or one dense block is the same")


def initial(shape: Shape, *, seed: int, dtype=np.float32) -> Weights:
    """Return the weights of an untrained model.

    Args:
        shape: The model's sizes.
        seed: Seed of the random numbers; the same seed gives the same weights.
        dtype: Kind of number; float64 is for checking gradients.

    Returns:
        Name to array. Layers are stacks of matrices with one matrix for each expert; biases begin at 0.

    Raises:
        ArgumentError: The seed is negative.

    Example:
        >>> {name: array.shape for name, array in initial(Shape(), seed=0).items()}["up"]
        (1, 64, 128)

    Taught in the labs.
    """
    generator = np.random.default_rng(integer("seed", seed, low=0))
    layers = {
        "mix": (1, shape.context * shape.embedding, shape.width),
        "up": (shape.experts, shape.width, shape.hidden),
        "down": (shape.experts, shape.hidden, shape.width),
        "head": (1, shape.width, len(ALPHABET)),
    }
    if shape.experts > 1:
        layers["router"] = (1, shape.width, shape.experts)
    weights = {"embedding": generator.normal(size=(len(ALPHABET), shape.embedding))}
    for name, (stack, rows, columns) in layers.items():
        weights[name] = generator.normal(size=(stack, rows, columns)) * rows**-0.5
        if name != "router":
            weights[f"{name}.bias"] = np.zeros((stack, columns))
    return {name: array.astype(dtype) for name, array in weights.items()}


def total_params(weights: Weights) -> int:
    """Return the number of weights stored.

    Args:
        weights: Name to array, as :func:`initial` makes them.

    Returns:
        A count.

    Example:
        >>> total_params(initial(Shape(), seed=0))
        40800

    Taught in the labs.
    """
    return sum(array.size for array in weights.values())


def active_params(weights: Weights, shape: Shape) -> int:
    """Return the number of weights stored less those of the experts that one character does not go to.

    Args:
        weights: Name to array, as :func:`initial` makes them.
        shape: The model's sizes.

    Returns:
        A count, at most the total.

    Example:
        >>> shape = Shape(experts=8, experts_per_token=2)
        >>> weights = initial(shape, seed=0)
        >>> active_params(weights, shape), total_params(weights)
        (57888, 157344)

    Taught in the labs.
    """
    expert = sum(weights[name][0].size for name in ("up", "up.bias", "down", "down.bias"))
    return total_params(weights) - (shape.experts - shape.experts_per_token) * expert


def _apply(weights: Weights, name: str, expert: int, x: np.ndarray) -> np.ndarray:
    """Send rows through a layer, and through its low-rank adapter if it has one."""
    y = x @ weights[name][expert]
    if f"{name}.bias" in weights:
        y += weights[f"{name}.bias"][expert]
    if f"{name}.a" in weights:
        y += (x @ weights[f"{name}.a"][expert]) @ weights[f"{name}.b"][expert]
    return y


def _unapply(weights: Weights, name: str, expert: int, x: np.ndarray, dy: np.ndarray, gradients: Weights) -> np.ndarray:
    """Fill in the gradients that were asked for and return the gradient of the layer's input."""
    dx = dy @ weights[name][expert].T
    if name in gradients:
        gradients[name][expert] = x.T @ dy
    if f"{name}.bias" in gradients:
        gradients[f"{name}.bias"][expert] = dy.sum(axis=0)
    if f"{name}.a" in weights:
        a, b = weights[f"{name}.a"][expert], weights[f"{name}.b"][expert]
        da = dy @ b.T
        dx += da @ a.T
        if f"{name}.a" in gradients:
            gradients[f"{name}.a"][expert] = x.T @ da
            gradients[f"{name}.b"][expert] = (x @ a).T @ dy
    return dx


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _surprise(scores: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return -ln p of each answer, from the scores: a p that underflows would have no logarithm."""
    above = scores - scores.max(axis=1, keepdims=True)
    return np.log(np.exp(above).sum(axis=1)) - above[np.arange(len(answers)), answers]


def _unsoftmax(shares: np.ndarray, d_shares: np.ndarray) -> np.ndarray:
    return shares * (d_shares - (shares * d_shares).sum(axis=1, keepdims=True))


def _forward(weights: Weights, shape: Shape, contexts: np.ndarray) -> dict:
    """Return the scores, and on the way there everything that the gradients need."""
    x = weights["embedding"][contexts].reshape(len(contexts), -1)
    h = np.maximum(_apply(weights, "mix", 0, x), 0)
    y = h.copy()
    kept = {"x": x, "h": h, "blocks": []}
    if shape.experts == 1:
        routes = [(slice(None), 0, 1)]
    else:
        kept["router"] = h @ weights["router"][0]
        kept["chosen"] = np.argsort(-kept["router"], axis=1, kind="stable")[:, : shape.experts_per_token]
        kept["gates"] = _softmax(np.take_along_axis(kept["router"], kept["chosen"], axis=1))
        picked = [np.nonzero(kept["chosen"] == expert) for expert in range(shape.experts)]
        routes = [(rows, place, kept["gates"][rows, place, None]) for rows, place in picked]
    for expert, (rows, place, gate) in enumerate(routes):
        if shape.experts > 1 and len(rows) == 0:
            continue
        middle = np.maximum(_apply(weights, "up", expert, h[rows]), 0)
        out = _apply(weights, "down", expert, middle)
        y[rows] += gate * out
        kept["blocks"].append((expert, rows, place, gate, middle, out))
    return kept | {"y": y, "scores": _apply(weights, "head", 0, y)}


def loss(
    weights: Weights, shape: Shape, batch: np.ndarray, *, trained: Collection[str] | None = None
) -> tuple[float, Weights]:
    """Return the loss of a batch and its gradients, worked out by hand.

    The loss is the mean of ``-ln p`` at the true next characters, plus for experts
    ``BALANCE * E * sum_e f_e P_e``, with the share of choices that fell on expert e and its mean probability.

    Args:
        weights: Name to array.
        shape: The model's sizes.
        batch: Rows of :func:`greenlib.labs.text.windows`.
        trained: Names of the weights that are to be trained; all by default. What lies below the lowest of them
            is not computed.

    Returns:
        The loss in nats, and the gradients of the trained weights by name.

    Raises:
        KeyError: There are no such weights.

    Example:
        >>> from greenlib.labs.text import encode, windows
        >>> shape = Shape(context=4)
        >>> value, gradients = loss(initial(shape, seed=0), shape, windows(encode("to be or not"), 4), trained=["head"])
        >>> list(gradients)
        ['head']

    Taught in the labs.
    """
    contexts, answers, count = batch[:, :-1], batch[:, -1], len(batch)
    kept = _forward(weights, shape, contexts)
    shares = _softmax(kept["scores"])
    value = float(_surprise(kept["scores"], answers).mean())
    gradients = {name: np.zeros_like(weights[name]) for name in (weights if trained is None else trained)}

    shares[np.arange(count), answers] -= 1
    dy = _unapply(weights, "head", 0, kept["y"], shares / count, gradients)
    if all(name.startswith("head") for name in gradients):
        return value, gradients
    h, dh = kept["h"], dy.copy()
    d_gates = np.zeros_like(kept["gates"]) if shape.experts > 1 else None
    for expert, rows, place, gate, middle, out in kept["blocks"]:
        if shape.experts > 1:
            d_gates[rows, place] = (dy[rows] * out).sum(axis=1)
        d_middle = _unapply(weights, "down", expert, middle, gate * dy[rows], gradients) * (middle > 0)
        dh[rows] += _unapply(weights, "up", expert, h[rows], d_middle, gradients)
    if shape.experts > 1:
        likely = _softmax(kept["router"])
        load = np.bincount(kept["chosen"].ravel(), minlength=shape.experts) / kept["chosen"].size
        value += BALANCE * shape.experts * float(load @ likely.mean(axis=0))
        d_router = _unsoftmax(likely, np.broadcast_to(BALANCE * shape.experts / count * load, likely.shape))
        chosen = kept["chosen"]
        d_chosen = np.take_along_axis(d_router, chosen, axis=1) + _unsoftmax(kept["gates"], d_gates)
        np.put_along_axis(d_router, chosen, d_chosen, axis=1)
        dh += _unapply(weights, "router", 0, h, d_router.astype(h.dtype), gradients)
    dx = _unapply(weights, "mix", 0, kept["x"], dh * (h > 0), gradients)
    if "embedding" in gradients:
        which = np.eye(len(ALPHABET), dtype=h.dtype)[contexts.ravel()]
        gradients["embedding"] = which.T @ dx.reshape(which.shape[0], -1)
    return value, gradients


def train(
    weights: Weights,
    shape: Shape,
    codes: np.ndarray,
    *,
    steps: int,
    seed: int,
    batch_size: int = 128,
    learning_rate: float = 3e-3,
    trained: Collection[str] | None = None,
    after_step: Callable[[int, Weights], object] | None = None,
) -> Weights:
    """Return the weights after some steps of Adam, its rate rising over a tenth of them and then falling to a tenth.

    Args:
        weights: Where to start; left as they are.
        shape: The model's sizes.
        codes: The text to learn from, as whole numbers.
        steps: How many batches; 1 or more.
        seed: Seed of the draw of batches.
        batch_size: Characters predicted in one step; 1 or more.
        learning_rate: Adam's highest rate, about; above 0.
        trained: Names of the weights to train; all by default.
        after_step: Called with the number of steps done and the current weights, which the next step overwrites.

    Returns:
        New weights.

    Raises:
        ArgumentError: A number is out of range or the text too short.

    Example:
        >>> from greenlib.labs.text import encode
        >>> shape, text = Shape(context=4), encode("round and round the garden ")
        >>> trained = train(initial(shape, seed=0), shape, text, steps=60, seed=0)
        >>> bits_per_character(trained, shape, text) < 1
        True

    Taught in the labs.
    """
    steps, batch_size = integer("steps", steps, low=1), integer("batch_size", batch_size, low=1)
    learning_rate = number("learning_rate", learning_rate, "(0, 1]")
    rows, generator = windows(codes, shape.context), np.random.default_rng(integer("seed", seed, low=0))
    weights = weights | {name: weights[name].copy() for name in (weights if trained is None else trained)}
    moments: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for step in range(1, steps + 1):
        batch = rows[generator.integers(len(rows), size=batch_size)]
        _, gradients = loss(weights, shape, batch, trained=trained)
        rate = learning_rate * min(10 * step / steps, 1 - 0.9 * step / steps)
        rate *= (1 - 0.99**step) ** 0.5 / (1 - 0.9**step)
        for name, gradient in gradients.items():
            mean, square = moments.setdefault(name, (np.zeros_like(gradient), np.zeros_like(gradient)))
            mean += 0.1 * (gradient - mean)
            square += 0.01 * (gradient * gradient - square)
            weights[name] -= rate * mean / (np.sqrt(square) + 1e-8)
        if after_step is not None:
            after_step(step, weights)
    return weights


def predict(weights: Weights, shape: Shape, contexts: np.ndarray) -> np.ndarray:
    """Return the probability of each character to be the next one.

    Args:
        weights: Name to array.
        shape: The model's sizes.
        contexts: Rows of as many characters as the context is long, as whole numbers.

    Returns:
        One row a context, 96 columns.

    Example:
        >>> shape = Shape(context=4)
        >>> predict(initial(shape, seed=0), shape, np.array([[53, 80, 1, 67]])).shape
        (1, 96)

    Taught in the labs.
    """
    return _softmax(_forward(weights, shape, contexts)["scores"])


def bits_per_character(weights: Weights, shape: Shape, codes: np.ndarray, *, every: int = 1) -> float:
    """Return the mean surprise at a text, in bits: 6.6 for a model that knows nothing, less for a better one.

    Args:
        weights: Name to array.
        shape: The model's sizes.
        codes: A text that the model did not learn from, as whole numbers.
        every: Ask only for every so-manieth character, to save time; 1 or more.

    Returns:
        Bits a character.

    Raises:
        ArgumentError: The text is not longer than the model's context.

    Example:
        >>> from greenlib.labs.text import encode
        >>> shape = Shape(context=4)
        >>> bits_per_character(initial(shape, seed=0), shape, encode("to be or not to be")) > 5
        True

    Taught in the labs.
    """
    rows, surprise = windows(codes, shape.context)[:: integer("every", every, low=1)], 0.0
    for start in range(0, len(rows), 1024):
        part = rows[start : start + 1024]
        surprise += float(_surprise(_forward(weights, shape, part[:, :-1])["scores"], part[:, -1]).sum())
    return surprise / len(rows) / float(np.log(2))


def sample(weights: Weights, shape: Shape, prompt: str, *, length: int, seed: int) -> str:
    """Return a text that the model writes, character by character.

    Args:
        weights: Name to array.
        shape: The model's sizes.
        prompt: What it continues; at least as long as the context.
        length: Characters to write; 1 or more.
        seed: Seed of the draws.

    Returns:
        The prompt and what follows.

    Raises:
        ArgumentError: The prompt is too short.

    Example:
        >>> shape = Shape(context=4)
        >>> len(sample(initial(shape, seed=0), shape, "to be", length=10, seed=0))
        15

    Taught in the labs.
    """
    codes = list(encode(prompt))
    if len(codes) < shape.context:
        raise ArgumentError("prompt", prompt, f"at least {shape.context} characters long, as the context is")
    generator = np.random.default_rng(integer("seed", seed, low=0))
    for _ in range(integer("length", length, low=1)):
        reached = np.cumsum(predict(weights, shape, np.array([codes[-shape.context :]])))
        codes.append(int(np.searchsorted(reached, generator.random() * reached[-1])))
    return prompt + decode(codes[-length:])
