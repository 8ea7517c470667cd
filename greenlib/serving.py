"""Joules per output token of a served model: what one decoding step moves, multiplies and waits for.

A server keeps :math:`B` answers going at once and lengthens each by one token a step. The estimate adds up the time
of one step, then the energy that its accelerators draw meanwhile. Ten constants are fitted to measurements (table
``serving_fit``, made by :mod:`greenlib.calibration`); the rest is a datasheet or a model's published configuration.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from greenlib.catalog import accelerator, table
from greenlib.checks import AlignmentError, ArgumentError, ArgumentTypeError, choice, quantity
from greenlib.uncertainty import Samples

__all__ = [
    "PRECISIONS",
    "PROMPT_TOKENS",
    "Constants",
    "ServingStep",
    "joules_per_token",
    "serving_constants",
    "serving_step",
]


@dataclass(frozen=True, slots=True)
class Precision:
    """How a number format stores and multiplies weights."""

    bits: float
    """Bits for one weight, scales included."""
    other_bits: float
    """Bits for the weights outside the experts, which some releases leave at 16."""
    converted: bool
    """Whether kernels must convert the weights before they multiply."""


PRECISIONS: Mapping[str, Precision] = {
    "fp32": Precision(32, 32, False),
    "bf16": Precision(16, 16, False),
    "fp16": Precision(16, 16, False),
    "fp8": Precision(8, 8, True),
    "int8": Precision(8, 8, True),
    "int4": Precision(4.25, 4.25, True),
    "mxfp4": Precision(4.25, 16, True),
    "nvfp4": Precision(4.5, 4.5, True),
}
"""Number formats by name: MXFP4 shares an 8-bit scale among 32 weights, NVFP4 among 16, INT4 16 bits among 64."""

_PRECISION_ALIASES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}

PROMPT_TOKENS: Mapping[str, float] = {"lm-arena-chat": 100, "gpqa": 250, "sourcegraph-fim": 2000}
"""Assumed prompt tokens to be read for one answer, by task; no task's mean is published.

A line or two of chat, whose earlier turns the server has cached; a question with four choices; a source file around
the hole to be filled, two hundred lines of ten tokens. The last one matters: with half or one and a half times as
much, the error on a task left out of the fit doubles. The others hardly do.
"""

OTHER_PROMPT_TOKENS = 250
"""Assumed for a task that is not listed."""

BANDWIDTH_EFFICIENCY = 0.93
"""Assumed share of a datasheet's memory bandwidth that long reads reach."""

MEAN_POSITION = 0.72
"""Tokens already written, over the mean answer length, averaged over the answers in flight.

Half for answers of equal length; answers differ, and long ones stay in flight longer:
(1 + variation squared) / 2 is 0.72 for a coefficient of variation of two thirds.
"""

LINK_SHARE = 1 / 8
"""Assumed bandwidth of one accelerator's links, one way, over that of its memory; NVLink of H100 and B200 is near."""

MXFP4_SCALING_SHARE = 1 / 3
"""Assumed cost of MXFP4's block scales over that of block-scaled FP8: the same work, in fewer and larger kernels."""

POWER_LIMIT_SHARPNESS = 4.0
"""Exponent of the power limiter: draw bends towards the TDP as it nears it."""

USABLE_MEMORY = 0.95
"""Share of an accelerator's memory that weights may fill."""


@dataclass(frozen=True, slots=True)
class Constants:
    """The ten fitted constants of the serving model, each with a unit and a physical meaning."""

    matmul_efficiency: float
    """Fraction: 16-bit multiplication rate that a step reaches, over the datasheet's peak."""
    converted_rate: float
    """Ratio: rate with 8- and 4-bit weights over that with 16-bit weights."""
    layer_s: float
    """Seconds for each layer and step that neither bandwidth nor peak rate explains: starting kernels."""
    expert_layer_s: float
    """Seconds that a layer with experts adds when all of its experts are awake: sorting tokens, small matrices."""
    block_scale_s: float
    """Seconds that a layer of block-scaled 8-bit experts adds: scaling activations and weights."""
    expert_imbalance: float
    """Fraction by which the busiest accelerator's expert work exceeds the mean, for each doubling of their number."""
    sequence_s: float
    """Seconds that each sequence adds to a step: scheduling, sampling, sending its token."""
    floor_fraction: float
    """Fraction of TDP that an accelerator with a model on it draws before it does anything."""
    joules_per_byte: float
    """Joules for a byte read from memory, all that happens on its way included."""
    joules_per_flop: float
    """Joules for an operation at small batch, the traffic inside the chip included; the TDP caps the sum."""


@dataclass(frozen=True, slots=True)
class ServingStep:
    """One decoding step: where its time goes, in seconds, and what it draws.

    Every field is of the kind that was given: a float, an array or a Series.
    """

    weights_s: Any
    """Reading weights, the busiest accelerator's."""
    cache_s: Any
    """Reading the key-value cache and recurrent states."""
    compute_s: Any
    """Multiplying, for the tokens written and the share of prompt that falls on the step."""
    links_s: Any
    """Exchanging activations among accelerators."""
    launch_s: Any
    """Starting kernels, sorting tokens by expert, scaling blocks."""
    sequences_s: Any
    """Handling each sequence: scheduling, sampling, sending."""
    step_s: Any
    """The sum: the time between two tokens of one answer, prompts of others included."""
    power_w: Any
    """Mean power of all accelerators together."""
    joules_per_token: Any
    """Power times time over the sequences in the batch."""


@functools.cache
def serving_constants() -> Constants:
    """Return the fitted constants.

    Returns:
        The values of the table ``serving_fit``.

    Raises:
        DataError: The table is missing or damaged.

    Source: mlenergy2026, fitted by :mod:`greenlib.calibration`. Taught in 02 and in the appendix on validation.

    Example:
        >>> 0.3 < serving_constants().floor_fraction < 0.5
        True
    """
    values = table("serving_fit").set_index("name")["value"]
    return Constants(**{field.name: float(values[field.name]) for field in fields(Constants)})


_GEOMETRY = (
    "layers",
    "hidden_size",
    "attention_heads",
    "kv_heads",
    "head_dim",
    "latent_dim",
    "full_attention_layers",
    "local_attention_layers",
    "window_tokens",
    "expert_layers",
    "experts",
    "experts_per_token",
    "recurrent_layers",
    "state_elements_per_layer",
)


@functools.cache
def _models() -> tuple[dict[str, int], dict[str, np.ndarray]]:
    rows = table("models")
    columns = {name: rows[name].fillna(0).to_numpy(float) for name in (*_GEOMETRY, "total_params", "active_params")}
    columns["block_scaled"] = (rows["fp8_scaling"] == "block").to_numpy(float)
    return {name.casefold(): number for number, name in enumerate(rows["name"])}, columns


@functools.cache
def _family(model: str) -> int:
    """Return the row of the family that a published name belongs to, -1 if there is none."""
    known, _ = _models()
    name = model.rpartition("/")[2].casefold()
    families = [family for family in known if name == family or name.startswith(f"{family}-")]
    return known[max(families, key=len)] if families else -1


@functools.cache
def _hardware() -> tuple[list[str], dict[str, np.ndarray]]:
    rows = table("accelerators")
    columns = ("memory_bandwidth_gb_per_s", "peak_bf16_tflop_per_s", "tdp_w", "memory_gb")
    return list(rows["name"]), {name: rows[name].to_numpy(float) for name in columns}


def _accelerator_row(name: str) -> int:
    names, columns = _hardware()
    row = names.index(accelerator(name).name)
    for column in ("memory_bandwidth_gb_per_s", "tdp_w"):
        if not columns[column][row] > 0:
            raise ArgumentError("accelerator", name, f"one with a known {column}: the table has none for it")
    return row


def _precision_row(name: str) -> int:
    return list(PRECISIONS).index(choice("weight_precision", _PRECISION_ALIASES.get(name, name), PRECISIONS))


@functools.cache
def _formats() -> dict[str, np.ndarray]:
    """Return the number formats as columns, in the order of :data:`PRECISIONS`."""
    formats = PRECISIONS.items()
    return {
        "bits": np.array([precision.bits for _, precision in formats]),
        "other_bits": np.array([precision.other_bits for _, precision in formats]),
        "converted": np.array([float(precision.converted) for _, precision in formats]),
        "block_scales": np.array([float(name == "fp8") for name, _ in formats]),
        "fine_scales": np.array([float(name == "mxfp4") for name, _ in formats]),
    }


def _by_name(argument: str, names: Any, look_up: Callable[[str], float], kind: type = int) -> np.ndarray:
    """Look each distinct name up once and return what was found, in the shape of ``names``."""
    values = np.asarray(names, dtype=object)
    codes, distinct = pd.factorize(values.ravel(), use_na_sentinel=False)
    for name in distinct:
        if not isinstance(name, str):
            raise ArgumentTypeError(argument, name, "text: a name")
    found = np.array([look_up(name) for name in distinct], dtype=kind)
    return found[codes].reshape(values.shape)


def _usual_shape(total: np.ndarray, active: np.ndarray) -> dict[str, np.ndarray]:
    """Return the shape a model of this size usually has, for models that the table does not know.

    Layers grow with the cube root of the dense-equivalent size (the mean of active and total on a log scale) through
    35 at 8 billion; heads are 128 wide, eight of them keep keys and values; six tenths of the active parameters of a
    sparse model sit in experts.
    """
    size = np.sqrt(total * active)
    layers = np.clip(np.round(35 * np.cbrt(size / 8e9)), 4, 200)
    hidden = np.sqrt(size / (12 * layers))
    sparse = active < 0.999 * total
    share = 0.6 * active / (total - 0.4 * active)
    nothing = np.zeros_like(layers)
    return {
        "layers": layers,
        "hidden_size": hidden,
        "attention_heads": np.maximum(8, hidden / 128),
        "kv_heads": nothing + 8,
        "head_dim": nothing + 128,
        "latent_dim": nothing,
        "full_attention_layers": layers,
        "local_attention_layers": nothing,
        "window_tokens": nothing,
        "expert_layers": np.where(sparse, layers, 0),
        "experts": np.where(sparse, 8 / share, 0),
        "experts_per_token": np.where(sparse, 8, 0),
        "recurrent_layers": nothing,
        "state_elements_per_layer": nothing,
        "block_scaled": nothing + 1,
    }


def _inputs(
    *,
    batch_size,
    output_tokens,
    prompt_tokens,
    total_params,
    active_params,
    weight_precision,
    accelerator,
    accelerators,
    expert_parallel,
    data_parallel,
    family,
) -> dict[str, np.ndarray]:
    """Gather everything the formula needs as float arrays, and refuse what cannot be."""
    if np.any(active_params > total_params):
        active, total = np.broadcast_arrays(active_params, total_params)
        first = np.argmax(active > total)
        raise ArgumentError("active_params", float(active.flat[first]), f"at most total_params, {total.flat[first]:,g}")
    precision = _by_name("weight_precision", weight_precision, _precision_row)
    formats = {field: values[precision] for field, values in _formats().items()}
    row = _by_name("accelerator", accelerator, _accelerator_row)
    _, hardware = _hardware()
    _, models = _models()
    inputs = {name: models[name][family] for name in (*_GEOMETRY, "block_scaled")}
    unknown = family < 0
    if unknown.any():
        usual = _usual_shape(total_params, active_params)
        inputs = {name: np.where(unknown, usual[name], values) for name, values in inputs.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(inputs["experts"] > 0, inputs["experts_per_token"] / inputs["experts"], 0.0)
    routed = np.where(inputs["experts"] > 0, (total_params - active_params) / (1 - share), 0.0)
    inputs |= {
        "batch_size": batch_size,
        "output_tokens": output_tokens,
        "prompt_tokens": prompt_tokens,
        "active_params": active_params,
        "routed_share": share,
        "routed_params": np.minimum(routed, total_params - 0.05 * active_params),
        "routed_bytes": formats["bits"] / 8,
        "other_bytes": formats["other_bits"] / 8,
        "converted": formats["converted"],
        "scaling": formats["block_scales"] * inputs["block_scaled"] + formats["fine_scales"] * MXFP4_SCALING_SHARE,
        "accelerators": accelerators,
        "expert_parallel": np.where(np.isnan(expert_parallel), accelerators, expert_parallel),
        "data_parallel": np.where(np.isnan(data_parallel), 1.0, data_parallel),
        "bytes_per_s": hardware["memory_bandwidth_gb_per_s"][row] * 1e9,
        "flops_per_s": hardware["peak_bf16_tflop_per_s"][row] * 1e12,
        "tdp_w": hardware["tdp_w"][row],
    }
    inputs["other_params"] = total_params - inputs["routed_params"]
    _check_memory(inputs, hardware["memory_gb"][row])
    return inputs


def _check_memory(inputs: Mapping[str, np.ndarray], memory_gb: np.ndarray) -> None:
    copies = inputs["other_params"] * inputs["other_bytes"] * inputs["data_parallel"]
    needed = (copies + inputs["routed_params"] * inputs["routed_bytes"]) / (memory_gb * 1e9 * USABLE_MEMORY)
    needed, given = np.broadcast_arrays(needed, inputs["accelerators"])
    short = needed > given
    if short.any():
        first = np.argmax(short)
        raise ArgumentError(
            "accelerators", float(given.flat[first]), f"at least {math.ceil(needed.flat[first])} for the weights to fit"
        )


def step_formula(inputs: Mapping[str, np.ndarray], constants: Constants) -> ServingStep:
    """Return one decoding step from prepared inputs; the calibration calls this with trial constants."""
    batch, answer, prompt = inputs["batch_size"], inputs["output_tokens"], inputs["prompt_tokens"]
    accelerators, copies = inputs["accelerators"], inputs["data_parallel"]
    ways = accelerators / copies

    # A prompt that joins the batch takes one step with all of its tokens, and they wake nearly every expert.
    asleep = 1 - inputs["routed_share"]
    joins = -np.expm1(-batch / answer)
    awake = 1 - asleep**batch * (1 - joins * (1 - asleep**prompt))
    imbalance = 1 + constants.expert_imbalance * np.log2(inputs["expert_parallel"])

    position = prompt + MEAN_POSITION * answer
    attended = inputs["full_attention_layers"] * position
    attended = attended + inputs["local_attention_layers"] * np.minimum(position, inputs["window_tokens"])
    latent = inputs["latent_dim"] > 0
    head_numbers = np.where(latent, inputs["latent_dim"], inputs["head_dim"])
    cached_numbers = np.where(latent, inputs["latent_dim"], 2 * inputs["kv_heads"] * inputs["head_dim"])
    # More accelerators than key-value heads each keep a copy of one; a latent cache is copied to all.
    replicas = np.where(latent, ways, np.maximum(1, ways / inputs["kv_heads"]))

    other_bytes = inputs["other_params"] * inputs["other_bytes"] * copies
    routed_bytes = inputs["routed_params"] * inputs["routed_bytes"] * awake
    cache_bytes = 2 * batch * cached_numbers * attended * replicas
    # A state of 32-bit numbers is read and written back.
    cache_bytes = cache_bytes + 8 * batch * inputs["recurrent_layers"] * inputs["state_elements_per_layer"]

    # Copies of the attention part move in lockstep: while one reads a prompt, the others wait.
    tokens = batch * (1 + copies * prompt / answer)
    flops = 2 * inputs["active_params"] * tokens + 4 * inputs["attention_heads"] * head_numbers * batch * attended
    expert_flops = inputs["routed_params"] * inputs["routed_share"] / inputs["active_params"]
    rate = inputs["flops_per_s"] * constants.matmul_efficiency
    rate = rate * np.where(inputs["converted"] > 0, constants.converted_rate, 1.0)

    bandwidth = accelerators * inputs["bytes_per_s"] * BANDWIDTH_EFFICIENCY
    weights_s = (other_bytes + routed_bytes * imbalance) / bandwidth
    cache_s = cache_bytes / bandwidth
    compute_s = flops * (1 + expert_flops * (imbalance - 1)) / (accelerators * rate)
    # Two all-reductions a layer, each sending and receiving every 16-bit activation once, less one's own part.
    exchanged = 8 * inputs["layers"] * tokens * inputs["hidden_size"] * (accelerators - 1) / accelerators
    links_s = exchanged / (inputs["bytes_per_s"] * LINK_SHARE)
    expert_s = constants.expert_layer_s * awake + constants.block_scale_s * inputs["scaling"]
    launch_s = inputs["layers"] * constants.layer_s + inputs["expert_layers"] * expert_s
    sequences_s = batch * constants.sequence_s
    step_s = weights_s + cache_s + compute_s + links_s + launch_s + sequences_s

    limit_w = accelerators * inputs["tdp_w"]
    joules = (other_bytes + routed_bytes + cache_bytes) * constants.joules_per_byte + flops * constants.joules_per_flop
    wanted = constants.floor_fraction + joules / (step_s * limit_w)
    power_w = limit_w * wanted / (1 + wanted**POWER_LIMIT_SHARPNESS) ** (1 / POWER_LIMIT_SHARPNESS)
    return ServingStep(
        weights_s, cache_s, compute_s, links_s, launch_s, sequences_s, step_s, power_w, power_w * step_s / batch
    )


_FRAME_COLUMNS = {
    "model": "model_id",
    "accelerator": "gpu_model",
    "accelerators": "num_gpus",
    "batch_size": "avg_batch_size",
    "output_tokens": "avg_output_len",
    "total_params": "total_params_billions",
    "active_params": "activated_params_billions",
}


def frame_inputs(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the formula's inputs from a frame with the columns of ML.ENERGY or of the table ``serving``."""

    def column(name: str) -> pd.Series:
        for known in (name, _FRAME_COLUMNS.get(name, name)):
            if known in frame:
                return frame[known]
        known = _FRAME_COLUMNS.get(name)
        names = name if known is None else f"{known} or {name}"
        raise ArgumentError("frame", list(frame.columns), f"a frame with a column {names}")

    def numbers(name: str, allowed: str) -> np.ndarray:
        cells = column(name)
        values = quantity(str(cells.name), cells, allowed).to_numpy(float)
        return values * 1e9 if str(cells.name).endswith("_billions") else values

    def optional(name: str) -> np.ndarray:
        if name not in frame:
            return np.full(len(frame), np.nan)
        values = pd.to_numeric(frame[name]).to_numpy(float)
        quantity(name, values[~np.isnan(values)], "[1, 1e6]")
        return values

    task = column("task")
    return _inputs(
        batch_size=numbers("batch_size", "[1, 1e6]"),
        output_tokens=numbers("output_tokens", "[1, 1e7]"),
        prompt_tokens=_by_name("task", task, lambda name: float(PROMPT_TOKENS.get(name, OTHER_PROMPT_TOKENS)), float),
        total_params=numbers("total_params", "(0, 1e16]"),
        active_params=numbers("active_params", "(0, 1e16]"),
        weight_precision=column("weight_precision"),
        accelerator=column("accelerator"),
        accelerators=numbers("accelerators", "[1, 1e6]"),
        expert_parallel=optional("expert_parallel"),
        data_parallel=optional("data_parallel"),
        family=_by_name("model", column("model"), _family),
    )


def _known_family(name: str) -> int:
    family = _family(name)
    if family < 0:
        choice("model", name, table("models")["name"])
    return family


def _keyword_inputs(arguments: dict[str, Any]) -> tuple[dict[str, np.ndarray], pd.Index | None]:
    """Check the keyword arguments; return the formula's inputs and the index that Series among them share."""
    index = None
    for name, value in arguments.items():
        if isinstance(value, pd.Series):
            if index is not None and not value.index.equals(index):
                raise AlignmentError(name, f"index {list(value.index[:4])}", f"on the others' index, {list(index[:4])}")
            index = value.index
    ranges = {
        "batch_size": "[1, 1e6]",
        "output_tokens": "[1, 1e7]",
        "prompt_tokens": "[0, 1e7]",
        "accelerators": "[1, 1e6]",
        "total_params": "(0, 1e16]",
        "active_params": "(0, 1e16]",
        "expert_parallel": "[1, 1e6]",
        "data_parallel": "[1, 1e6]",
    }
    arrays = {
        name: np.asarray(quantity(name, arguments[name], allowed), dtype=float)
        for name, allowed in ranges.items()
        if arguments[name] is not None
    }
    model = arguments["model"]
    family = np.array(-1) if model is None else _by_name("model", model, _known_family)
    for name in ("total_params", "active_params"):
        if name not in arrays:
            if model is None:
                raise ArgumentTypeError(name, None, "given, or a model named whose size the table knows")
            arrays[name] = _models()[1][name][family]
    defaults = {"prompt_tokens": OTHER_PROMPT_TOKENS, "expert_parallel": np.nan, "data_parallel": np.nan}
    arrays = {name: np.array(float(value)) for name, value in defaults.items()} | arrays
    texts = {name: np.asarray(arguments[name], dtype=object) for name in ("weight_precision", "accelerator")}
    shape: tuple[int, ...] = ()
    for name, value in {**arrays, **texts, "model": family}.items():
        try:
            shape = np.broadcast_shapes(shape, value.shape)
        except ValueError:
            raise AlignmentError(name, f"shape {value.shape}", f"of a shape that broadcasts with {shape}") from None
    if index is not None and shape != (len(index),):
        raise AlignmentError("arguments", f"shape {shape}", f"of length {len(index)}, like the Series among them")
    return _inputs(**arrays, **texts, family=family), index


_BLOCK = 16_384
"""Rows computed together: some sixty arrays of them stay in a core's cache."""


def _evaluate(frame: pd.DataFrame | None, arguments: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Return the wanted fields of a :class:`ServingStep`, of the kind that was given."""
    if frame is not None:
        if not isinstance(frame, pd.DataFrame) or any(value is not None for value in arguments.values()):
            raise ArgumentTypeError("frame", type(frame).__name__, "a DataFrame alone, or numbers by keyword")
        inputs, index = frame_inputs(frame), frame.index
    else:
        for name in ("batch_size", "output_tokens", "weight_precision", "accelerator", "accelerators"):
            if arguments[name] is None:
                raise ArgumentTypeError(name, None, "given")
        inputs, index = _keyword_inputs(arguments)
    constants = serving_constants()
    shape = np.broadcast_shapes(*(np.shape(value) for value in inputs.values()))
    results = {name: np.empty(shape) for name in wanted}
    length = shape[0] if shape else 1
    for start in range(0, length, _BLOCK):
        rows = slice(start, start + _BLOCK) if len(shape) == 1 else ...
        part = {name: value[rows] if np.shape(value) == shape else value for name, value in inputs.items()}
        step = step_formula(part, constants)
        for name, values in results.items():
            values[rows] = getattr(step, name)
        if rows is ...:
            break
    if index is not None:
        return {name: pd.Series(values, index=index, name=name) for name, values in results.items()}
    kind = Samples if any(isinstance(value, Samples) for value in arguments.values()) else np.ndarray
    return {name: float(values) if shape == () else values.view(kind) for name, values in results.items()}


def serving_step(
    frame: pd.DataFrame | None = None,
    *,
    batch_size=None,
    output_tokens=None,
    weight_precision=None,
    accelerator=None,
    accelerators=None,
    model=None,
    total_params=None,
    active_params=None,
    prompt_tokens=None,
    expert_parallel=None,
    data_parallel=None,
) -> ServingStep:
    r"""Return the time of one decoding step by cause, its power, and the joules of one output token.

    .. math:: t = \frac{W + C}{n \beta} + \frac{F}{n \pi} + t_{links} + t_{launch} + B t_{seq}, \quad
              J = \frac{1}{B} \min(n P_{tdp} t,\; n f P_{tdp} t + e_b (W + C) + e_f F)

    with W the bytes of weights read (of experts, those that the batch wakes), C those of the cache, F the operations;
    the minimum is a smooth one.

    Args:
        frame: A frame with the columns task, model_id, weight_precision, total_params_billions,
            activated_params_billions, gpu_model, num_gpus, avg_batch_size and avg_output_len, and if known
            expert_parallel and data_parallel; the names of the table ``serving`` serve too. Nothing measured is read.
            A model that the table does not know gets the usual shape of its size.
        batch_size: Sequences served at once, B; 1 or more.
        output_tokens: Mean tokens of an answer; 1 or more.
        weight_precision: A name in :data:`PRECISIONS`, or several.
        accelerator: A name in ``table("accelerators")``, or several.
        accelerators: How many serve one copy of the model, n; 1 or more.
        model: A name that ``table("models")`` knows; None for the usual shape of a model of that size.
        total_params: Parameters stored; None for the model's own.
        active_params: Parameters used for one token, at most ``total_params``; None for the model's own.
        prompt_tokens: Tokens read for one answer, 0 or more; None for 250, an assumption.
        expert_parallel: Accelerators that share out the experts; None for all.
        data_parallel: Copies of the attention part; None for one.

    Returns:
        A :class:`ServingStep` whose fields are of the kind that was given: for a frame, Series on its index.

    Raises:
        ArgumentTypeError: Something is missing or of the wrong kind.
        ArgumentError: A value is NaN or impossible; more parameters are active than stored; the accelerator has no
            known bandwidth; the weights do not fit (the error says how many accelerators they need).
        UnknownNameError: A precision, accelerator or model is not known; the nearest name is suggested.
        AlignmentError: The arguments do not broadcast, or Series differ in their index.

    Source: mlenergy2026 for the fit, epoch2026hardware for rates, the rows of ``models`` for shapes. Taught in 02.

    Example:
        >>> step = serving_step(batch_size=8, output_tokens=400, weight_precision="bf16", accelerator="H100-SXM",
        ...                     accelerators=1, model="Llama-3.1-8B")
        >>> step.weights_s > step.compute_s
        True
    """
    arguments = {name: value for name, value in locals().items() if name != "frame"}
    return ServingStep(**_evaluate(frame, arguments, [field.name for field in fields(ServingStep)]))


def joules_per_token(frame: pd.DataFrame | None = None, **arguments):
    r"""Return the accelerators' joules for one output token of a served model.

    .. math:: J = \frac{P t}{B}

    with the power P and the time t of one decoding step from :func:`serving_step`, which takes the same arguments.
    Energy is that of the accelerators alone, prompts included: no host, no cooling.

    Args:
        frame: Configurations, one a row; see :func:`serving_step` for the columns.
        **arguments: ``batch_size``, ``output_tokens``, ``weight_precision``, ``accelerator``, ``accelerators``; then
            ``model``, or ``total_params`` and ``active_params``, or all three; ``prompt_tokens``,
            ``expert_parallel``, ``data_parallel``. Arrays broadcast.

    Returns:
        J per output token, of the kind that was given: for a frame, a Series on its index.

    Raises:
        ArgumentTypeError: Something is missing or of the wrong kind.
        ArgumentError: A value is impossible, or the weights do not fit (the error says how many accelerators do).
        UnknownNameError: A name is not known; the nearest one is suggested.
        AlignmentError: The arguments do not broadcast, or Series differ in their index.

    Source: mlenergy2026. Taught in 02, 07 and 12.

    Example:
        >>> server = dict(output_tokens=350, weight_precision="bf16", accelerator="H100-SXM", accelerators=4,
        ...               model="Llama-3.1-70B")
        >>> alone, crowded = joules_per_token(batch_size=np.array([8, 1024]), **server)
        >>> bool(alone > 8 * crowded)
        True
        >>> joules_per_token(batch_size=8, **server | {"accelerators": 1})
        Traceback (most recent call last):
        greenlib.checks.ArgumentError: accelerators = 1.0 is not possible: it must be at least 2 for the weights to fit
    """
    unknown = sorted(set(arguments) - set(serving_step.__kwdefaults__))
    if unknown:
        choice("argument", unknown[0], serving_step.__kwdefaults__)
    given = dict.fromkeys(serving_step.__kwdefaults__) | arguments
    return _evaluate(frame, given, ["joules_per_token"])["joules_per_token"]
