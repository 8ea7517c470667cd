from __future__ import annotations

import numpy as np
import pytest

from greenlib import ArgumentError, UnknownNameError, bits_per_weight
from greenlib.labs.digits import digits, new_network
from greenlib.labs.quantise import (
    FORMATS,
    GROUP,
    onnx_model,
    quantise,
    quantised_digits,
    quantised_stack,
    restore,
    session,
    stored_bytes,
)

COLUMNS = ["seed", "variant", "batch_size", "quality", "cpu_seconds", "seconds", "energy_j", "energy_kind", "bytes"]
WEIGHTS_ONLY = [name for name, (bits, activations) in FORMATS.items() if bits < 32 and not activations]
ROUNDED = [name for name, (_, activations) in FORMATS.items() if activations]


@pytest.fixture(scope="module")
def network():
    return new_network((96, 40), seed=3)


def answers(weights, biases, variant, images):
    return session(onnx_model(weights, biases, variant)).run(None, {"input": images})[0]


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize(("rows", "group_size"), [(64, 32), (50, 32), (7, 7), (5, 1)])
def test_a_weight_is_restored_to_within_half_a_scale(bits, rows, group_size):
    weight = np.random.default_rng(1).normal(size=(rows, 6)).astype(np.float32)
    codes, scales = quantise(weight, bits=bits, group_size=group_size)
    assert np.abs(codes).max() == 2 ** (bits - 1) - 1
    error = np.abs(restore(codes, scales, rows=rows) - weight)
    allowed = np.repeat(scales, group_size, axis=1)[:, :rows].T / 2
    assert (error <= allowed * (1 + 1e-5)).all()
    # The largest weight of each group is kept exactly, as the scale is made from it.
    assert (error.min(axis=0) < 1e-6).all()


def test_a_column_of_zeros_stays_zero():
    codes, scales = quantise(np.zeros((40, 2), np.float32), bits=4)
    assert not codes.any()
    assert np.isfinite(scales).all()
    assert not restore(codes, scales, rows=40).any()


def test_float32_model_is_the_network(network):
    images = digits(200, seed=1).images
    given = answers(network.weights, network.biases, "float32", images)
    assert given == pytest.approx(network.logits(images), abs=1e-4)


@pytest.mark.parametrize("variant", WEIGHTS_ONLY)
def test_weights_only_models_multiply_by_the_restored_weights(network, variant):
    # The oracle never leaves NumPy: round, restore, multiply in float32.
    images, bits = digits(200, seed=1).images, FORMATS[variant].bits
    rounded = [restore(*quantise(weight, bits=bits), rows=len(weight)) for weight in network.weights]
    given = answers(network.weights, network.biases, variant, images)
    expected = type(network)(tuple(rounded), network.biases).logits(images)
    assert given == pytest.approx(expected, abs=1e-3 * float(np.abs(expected).max()))
    assert not np.allclose(given, network.logits(images), atol=1e-4)


@pytest.mark.parametrize("variant", ROUNDED)
def test_rounding_the_activations_moves_the_answer_a_little_further(network, variant):
    images, exact = digits(200, seed=1).images, network.logits(digits(200, seed=1).images)
    given = answers(network.weights, network.biases, variant, images)
    error = np.linalg.norm(given - exact) / np.linalg.norm(exact)
    assert 0 < error < (0.1 if FORMATS[variant].bits == 8 else 0.4)


def test_biases_count_in_every_format():
    weight, bias = np.eye(64, dtype=np.float32), np.arange(64, dtype=np.float32)
    for variant in FORMATS:
        nothing = answers([weight], [bias], variant, np.zeros((1, 64), np.float32))
        assert nothing[0] == pytest.approx(bias, abs=1e-6)


@pytest.mark.parametrize(
    ("variant", "bits"),
    [("float32", 32), ("INT8, activations too", bits_per_weight(8, group_size=128, scale_bits=32))]
    + [(name, bits_per_weight(FORMATS[name].bits, group_size=GROUP, scale_bits=32)) for name in WEIGHTS_ONLY],
)
def test_bytes_are_the_bits_of_weights_and_scales(variant, bits):
    weight, bias = np.ones((128, 256), np.float32), np.zeros(256, np.float32)
    assert stored_bytes(onnx_model([weight], [bias], variant)) == 128 * 256 * bits / 8 + 4 * 256


def test_a_session_has_one_thread(network):
    options = session(onnx_model(network.weights, network.biases, "float32")).get_session_options()
    assert options.intra_op_num_threads == options.inter_op_num_threads == 1


def test_unknown_format_is_refused(network):
    with pytest.raises(UnknownNameError, match="did you mean 'INT4, weights only'"):
        onnx_model(network.weights, network.biases, "INT4 weights only")
    with pytest.raises(ArgumentError, match="bits = 16"):
        quantise(network.weights[0], bits=16)


def test_every_network_is_measured_in_every_format_and_batch():
    runs = quantised_digits(quick=True, batch_sizes=[1, 4])
    assert list(runs.columns) == COLUMNS
    assert runs.groupby(["seed", "variant", "batch_size"]).size().eq(1).all()
    assert len(runs) == 2 * len(FORMATS) * 2
    assert (runs["seconds"] > 0).all()
    assert set(runs["energy_kind"]) <= {"absent", "estimated", "measured"}
    assert runs["energy_j"].isna().equals(runs["energy_kind"] == "absent")
    sizes = runs.groupby("variant")["bytes"].first()
    assert sizes["INT4, weights only"] < sizes["INT8, activations too"] < sizes["float32"]


def test_accuracy_does_not_depend_on_the_clock():
    first, second = (quantised_digits(quick=True, batch_sizes=[1]) for _ in range(2))
    exact = first["variant"] == "float32"
    assert first.loc[exact, "quality"].equals(second.loc[exact, "quality"])
    assert (first.loc[exact, "quality"] > 0.6).all()


def test_a_stack_is_compared_with_itself_in_float32():
    runs = quantised_stack(quick=True, batch_sizes=[1, 8])
    assert list(runs.columns) == COLUMNS
    quality = runs.groupby("variant")["quality"]
    assert (quality.min()["float32"], quality.max()["float32"]) == (1, 1)
    assert quality.max()["INT4, weights only"] < quality.min()["INT8, weights only"] < 1


def test_energy_is_that_of_one_call(monkeypatch):
    # A block of several calls must be divided among them, or a fast format looks as dear as a slow one.
    monkeypatch.setattr("greenlib.labs.quantise.SHORTEST_S", 0.1)
    runs = quantised_stack(seeds=2, layers=1, width=64, batch_sizes=[1])
    assert (runs["seconds"] < 0.02).all()
    assert (runs["energy_kind"] != "absent").all()
    # No laptop draws more than a kilowatt for one thread.
    assert (runs["energy_j"] < 1000 * runs["seconds"]).all()
