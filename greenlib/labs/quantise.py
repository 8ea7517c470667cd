"""Round the weights of a trained network to 8 or 4 bits, run it with onnxruntime, and measure what that changes.

Two choices make five formats: how many bits a weight has, and whether the activations are rounded as well. Where only
the weights are, the arithmetic stays that of float32 and every weight has to be turned back into one first. Where the
activations are 8-bit integers too, the products are integer arithmetic, for which many processors have instructions
of their own.

One thread does all the work. Each format is built from ONNX's operators by hand, so that a reader sees which they are;
``onnxruntime.quantization.quantize_dynamic`` makes the same graph for 8 bits with activations.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from greenlib.checks import choice, integer
from greenlib.labs.digits import digits, train
from greenlib.labs.runs import measured
from greenlib.tracking import SHORTEST_S

if TYPE_CHECKING:
    import onnx
    import onnxruntime

__all__ = [
    "FORMATS",
    "GROUP",
    "Format",
    "onnx_model",
    "quantise",
    "quantised_digits",
    "quantised_stack",
    "restore",
    "session",
    "stored_bytes",
]

GROUP = 32
"""Weights of one column that share a scale where weights are stored in groups."""


class Format(NamedTuple):
    """Bits of a weight, and whether the activations are rounded to 8 bits."""

    bits: int
    activations: bool


FORMATS = {
    "float32": Format(32, False),
    "INT8, weights only": Format(8, False),
    "INT8, activations too": Format(8, True),
    "INT4, weights only": Format(4, False),
    "INT4, activations too": Format(4, True),
}
"""The formats that are compared; the first is the original."""


def quantise(weight: np.ndarray, *, bits: int, group_size: int = GROUP) -> tuple[np.ndarray, np.ndarray]:
    r"""Return a weight matrix as small integers, and a scale for each group of weights in a column.

    .. math:: q = \mathrm{round}(w / s), \quad s = \frac{\max |w|}{2^{b-1} - 1}

    Args:
        weight: Shape (rows, columns).
        bits: Bits of an integer, :math:`b`; 2 to 8.
        group_size: Weights that share a scale, going down a column; 1 or more.

    Returns:
        Integers from :math:`-(2^{b-1}-1)` to :math:`2^{b-1}-1` of shape (columns, groups, group_size), filled up with
        zeros, and scales of shape (columns, groups).

    Raises:
        ArgumentError: A number is out of range.

    Source: dettmers2022llmint8 for the rounding by the largest absolute value. Taught in the lab of 07.

    Example:
        >>> codes, scales = quantise(np.array([[0.7], [-0.3], [0.05]]), bits=4, group_size=4)
        >>> codes.tolist(), round(float(scales[0, 0]), 3)
        ([[[7, -3, 0, 0]]], 0.1)
    """
    bits, group_size = integer("bits", bits, low=2, high=8), integer("group_size", group_size, low=1)
    rows, columns = weight.shape
    groups = math.ceil(rows / group_size)
    padded = np.zeros((columns, groups * group_size), np.float32)
    padded[:, :rows] = weight.T
    grouped = padded.reshape(columns, groups, group_size)
    largest = np.abs(grouped).max(axis=2)
    scales = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(2 ** (bits - 1) - 1)
    return np.rint(grouped / scales[..., None]).astype(np.int8), scales


def restore(codes: np.ndarray, scales: np.ndarray, *, rows: int) -> np.ndarray:
    """Return the weight matrix that quantised weights stand for.

    Args:
        codes: Integers of shape (columns, groups, group_size).
        scales: Shape (columns, groups).
        rows: Rows of the matrix; what the groups hold beyond them is filling.

    Returns:
        Shape (rows, columns), float32; each weight within half a scale of the original.

    Example:
        >>> weight = np.array([[0.7], [-0.3]])
        >>> np.allclose(restore(*quantise(weight, bits=4), rows=2), weight)
        True
    """
    return (codes * scales[..., None]).reshape(len(codes), -1)[:, :rows].T


def onnx_model(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], variant: str) -> onnx.ModelProto:
    """Return a multilayer perceptron as an ONNX model whose matrices are stored in one of :data:`FORMATS`.

    Biases stay float32. Eight bits with activations are ``DynamicQuantizeLinear`` and ``MatMulInteger`` with one
    scale a column; the other formats are ``MatMulNBits``, an operator of onnxruntime's own, with groups of 32 and an
    accuracy level that forbids or allows it to round the activations.

    Args:
        weights: One matrix (inputs, outputs) a layer.
        biases: One vector (outputs) a layer.
        variant: A key of :data:`FORMATS`.

    Returns:
        A model with one input, of shape (batch, inputs), and one output.

    Raises:
        UnknownNameError: There is no such format.

    Source: onnxruntime2026. Taught in the lab of 07.

    Example:
        >>> model = onnx_model([np.eye(4, dtype=np.float32)], [np.zeros(4, np.float32)], "float32")
        >>> [node.op_type for node in model.graph.node]
        ['MatMul', 'Add']
    """
    from onnx import TensorProto, helper, numpy_helper

    bits, activations = FORMATS[choice("variant", variant, FORMATS)]
    nodes, stored = [], []

    def store(name: str, array: np.ndarray) -> str:
        stored.append(numpy_helper.from_array(array, name))
        return name

    def node(operator: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, list(outputs), **attributes))
        return outputs[0]

    given = "input"
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        rows, columns = weight.shape
        if bits == 32:
            product = node("MatMul", [given, store(f"weight{layer}", weight)], f"product{layer}")
        elif bits == 8 and activations:
            codes, scales = quantise(weight, bits=8, group_size=rows)
            matrix = store(f"weight{layer}", np.ascontiguousarray(codes[:, 0].T))
            rounded = [f"rounded{layer}", f"step{layer}", f"zero{layer}"]
            node("DynamicQuantizeLinear", [given], *rounded)
            sums = node("MatMulInteger", [rounded[0], matrix, rounded[2]], f"sums{layer}")
            sums = node("Cast", [sums], f"sums{layer}.float", to=TensorProto.FLOAT)
            scale = node("Mul", [rounded[1], store(f"scale{layer}", scales[:, 0])], f"scale{layer}.both")
            product = node("Mul", [sums, scale], f"product{layer}")
        else:
            codes, scales = quantise(weight, bits=bits)
            unsigned = (codes.astype(np.int16) + 2 ** (bits - 1)).astype(np.uint8)
            packed = unsigned if bits == 8 else unsigned[..., 0::2] | (unsigned[..., 1::2] << 4)
            product = node(
                "MatMulNBits",
                [given, store(f"weight{layer}", packed), store(f"scale{layer}", scales)],
                f"product{layer}",
                domain="com.microsoft", K=rows, N=columns, bits=bits, block_size=GROUP,
                accuracy_level=4 if activations else 1,
            )  # fmt: skip
        given = node("Add", [product, store(f"bias{layer}", bias)], f"sum{layer}")
        if layer < len(weights) - 1:
            given = node("Relu", [given], f"output{layer}")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
        for name, width in (("input", weights[0].shape[0]), (given, weights[-1].shape[1]))
    ]
    graph = helper.make_graph(nodes, "perceptron", ends[:1], ends[1:], stored)
    versions = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=versions, ir_version=10)


def stored_bytes(model: onnx.ModelProto) -> int:
    """Return the bytes of a model's weights, scales and biases.

    Args:
        model: A model of :func:`onnx_model`.

    Returns:
        Bytes, without those that name operators and shapes.

    Example:
        >>> stored_bytes(onnx_model([np.eye(4, dtype=np.float32)], [np.zeros(4, np.float32)], "float32"))
        80
    """
    return sum(len(array.raw_data) for array in model.graph.initializer)


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Return a model ready to run on one thread of the processor.

    Args:
        model: A model of :func:`onnx_model`.

    Returns:
        An ``InferenceSession``; ``session.run(None, {"input": batch})[0]`` is its answer.

    Example:
        >>> ready = session(onnx_model([np.eye(2, dtype=np.float32)], [np.ones(2, np.float32)], "float32"))
        >>> ready.run(None, {"input": np.array([[1, 2]], np.float32)})[0].tolist()
        [[2.0, 3.0]]
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def quantised_digits(*, seeds: int = 5, batch_sizes: Iterable[int] = (1, 512), quick: bool = False) -> pd.DataFrame:
    """Train a network on digits, store it in every one of :data:`FORMATS`, and measure accuracy and costs.

    Args:
        seeds: Networks, with seeds from 0, each trained on pictures of its own; 2 or more.
        batch_sizes: Pictures answered together.
        quick: Two networks, trained in a hurry, and short measurements: for trying out, not for conclusions.

    Returns:
        One row a network, format and batch size: ``seed``, ``variant``, ``batch_size``, ``quality``, the share of
        4,000 new pictures that are read correctly, ``cpu_seconds``, ``seconds`` and ``energy_j`` of one call with
        that batch, ``energy_kind``, and ``bytes`` of weights, scales and biases.

    Raises:
        ArgumentError: A number is out of range.

    Taught in the lab of 07.

    Example:
        >>> runs = quantised_digits(quick=True, batch_sizes=[1])
        >>> runs.groupby("variant", sort=False)["bytes"].first().to_dict()["float32"]
        68904
    """
    seeds = integer("seeds", seeds, low=2)
    batch_sizes = [integer("batch_sizes", size, low=1) for size in batch_sizes]
    test = digits(4000, seed=30_000)
    rows = []
    for seed in range(2 if quick else seeds):
        library = digits(2000 if quick else 8000, seed=10_000 + seed)
        network = train(*library, hidden=(128, 64), epochs=8, seed=seed)
        for variant, ready, size in _sessions(network.weights, network.biases):
            answers = ready.run(None, {"input": test.images})[0].argmax(axis=1)
            quality = float((answers == test.labels).mean())
            for batch_size in batch_sizes:
                batch = digits(batch_size, seed=40_000 + seed).images
                row = {"seed": seed, "variant": variant, "batch_size": batch_size, "quality": quality}
                _, costs = _measured_calls(ready, batch, variant, quick)
                rows.append(row | costs | {"bytes": size})
    return pd.DataFrame(rows)


def quantised_stack(
    *,
    seeds: int = 5,
    layers: int = 3,
    width: int = 2048,
    batch_sizes: Iterable[int] = (1, 8, 64, 512),
    quick: bool = False,
) -> pd.DataFrame:
    """Store one stack of large square matrices in every one of :data:`FORMATS`, and measure accuracy and costs.

    The weights are random, the same for all seeds: a seed is a round of measurements with inputs of its own, in which
    the formats take turns, so that what else the machine does meets all of them.

    Args:
        seeds: Rounds; 2 or more.
        layers: Matrices, with a rectifier between any two; 1 or more.
        width: Rows and columns of each; 1 or more.
        batch_sizes: Inputs multiplied together.
        quick: Two rounds, two matrices of at most 256 rows and short measurements: for trying out, not for conclusions.

    Returns:
        One row a round, format and batch size, in the columns of :func:`quantised_digits`; ``quality`` is 1 minus the
        error of the outputs, as a fraction of their root mean square in float32.

    Raises:
        ArgumentError: A number is out of range.

    Taught in the lab of 07.

    Example:
        >>> runs = quantised_stack(quick=True, batch_sizes=[1])
        >>> bool(runs.groupby("variant")["quality"].mean()["INT8, activations too"] > 0.9)
        True
    """
    seeds, layers, width = (
        integer("seeds", seeds, low=2),
        integer("layers", layers, low=1),
        integer("width", width, low=1),
    )
    batch_sizes = [integer("batch_sizes", size, low=1) for size in batch_sizes]
    if quick:
        seeds, layers, width = 2, 2, min(width, 256)
    generator = np.random.default_rng(0)
    spread = np.float32(math.sqrt(2 / width))
    weights = [spread * generator.standard_normal((width, width), dtype=np.float32) for _ in range(layers)]
    stack = list(_sessions(weights, [np.zeros(width, np.float32)] * layers))
    rows = []
    for seed in range(seeds):
        generator = np.random.default_rng([seed, 1])
        for batch_size in batch_sizes:
            batch = generator.standard_normal((batch_size, width), dtype=np.float32)
            exact = None
            for variant, ready, size in stack:
                answers, costs = _measured_calls(ready, batch, variant, quick)
                exact = answers if exact is None else exact
                quality = 1 - float(np.linalg.norm(answers - exact) / np.linalg.norm(exact))
                row = {"seed": seed, "variant": variant, "batch_size": batch_size, "quality": quality}
                rows.append(row | costs | {"bytes": size})
    return pd.DataFrame(rows)


def _sessions(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]):
    for variant in FORMATS:
        model = onnx_model(weights, biases, variant)
        yield variant, session(model), stored_bytes(model)


def _measured_calls(ready: Any, batch: np.ndarray, name: str, quick: bool) -> tuple[np.ndarray, dict[str, Any]]:
    """Call until the block is long enough to have an energy; return the answers, and the costs of one call."""
    given, calls = {"input": batch}, 0
    ready.run(None, {"input": batch[:1]})
    with measured(name) as cost:
        started = time.perf_counter()
        while calls == 0 or (time.perf_counter() - started < SHORTEST_S and not quick):
            answers = ready.run(None, given)[0]
            calls += 1
    costs = {"cpu_seconds": cost.cpu_seconds, "seconds": cost.seconds, "energy_j": cost.energy_j}
    return answers, {column: value / calls for column, value in costs.items()} | {"energy_kind": cost.energy_kind}
