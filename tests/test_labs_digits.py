from __future__ import annotations

import numpy as np
import pytest

from greenlib import AlignmentError, ArgumentError, ArgumentTypeError
from greenlib.labs.digits import (
    Network,
    accuracy,
    digits,
    gradients,
    new_network,
    one_hot,
    softmax,
    train,
    training,
)


@pytest.fixture(scope="module")
def some():
    return digits(400, seed=1)


def test_a_seed_gives_the_same_pictures_and_another_seed_others(some):
    again, other = digits(400, seed=1), digits(400, seed=2)
    assert np.array_equal(some.images, again.images)
    assert np.array_equal(some.labels, again.labels)
    assert not np.array_equal(some.images, other.images)
    assert some.images.dtype == np.float32


def test_noise_lies_on_top_of_the_same_pictures():
    clean, noisy = digits(2000, seed=3, noise=0), digits(2000, seed=3, noise=0.2)
    assert np.array_equal(clean.labels, noisy.labels)
    assert clean.images.min() == 0
    assert clean.images.max() <= 1
    assert (noisy.images - clean.images).std() == pytest.approx(0.2, rel=0.02)


def test_a_picture_shows_its_digit():
    # A one is a narrow stroke and a zero has a hole: means over many pictures must differ where the shapes do.
    images, labels = digits(3000, seed=4, noise=0)
    mean = np.array([images[labels == digit].mean(axis=0).reshape(8, 8) for digit in range(10)])
    middle = mean[:, 3:5, 3:5].mean(axis=(1, 2))
    assert middle[0] < 0.5 * middle[8]
    assert mean[1, :, 3:5].sum() > 0.6 * mean[1].sum()
    assert mean[7, :3].sum() > mean[7, 5:].sum()


def test_bad_arguments_are_refused(some):
    with pytest.raises(ArgumentError, match="n = 0"):
        digits(0, seed=1)
    with pytest.raises(ArgumentError, match="noise"):
        digits(5, seed=1, noise=-1)
    with pytest.raises(ArgumentTypeError, match="hidden"):
        new_network([2.5], seed=1)
    with pytest.raises(AlignmentError, match="targets"):
        training(some.images, some.labels[:-1])
    with pytest.raises(ArgumentError, match="learning_rate"):
        train(*some, learning_rate=0)
    with pytest.raises(ArgumentError, match="temperature"):
        train(*some, temperature=0)


@pytest.mark.parametrize("hidden", [(), (7,), (9, 5)])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_gradients_are_the_slopes_of_the_loss(some, hidden, temperature):
    start = new_network(hidden, seed=5)
    network = Network(
        tuple(weight.astype(np.float64) for weight in start.weights),
        tuple(np.linspace(-0.1, 0.1, len(bias)) for bias in start.biases),
    )
    images = some.images[:20].astype(np.float64)
    targets = softmax(np.random.default_rng(6).normal(size=(20, 10)))
    _, slope = gradients(network, images, targets, temperature=temperature)
    generator = np.random.default_rng(7)
    for part, gradient in zip((*network.weights, *network.biases), (*slope.weights, *slope.biases), strict=True):
        for _ in range(4):
            place = tuple(generator.integers(side) for side in part.shape)
            kept, step = part[place], 1e-6
            part[place] = kept + step
            above, _ = gradients(network, images, targets, temperature=temperature)
            part[place] = kept - step
            below, _ = gradients(network, images, targets, temperature=temperature)
            part[place] = kept
            assert gradient[place] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-7)


def test_a_network_learns_and_hands_out_every_epoch(some):
    test = digits(1000, seed=9)
    states = list(training(*some, hidden=(24,), epochs=40, seed=3))
    assert [state.epoch for state in states] == list(range(1, 41))
    assert states[-1].loss < 0.5 * states[0].loss
    # Each state keeps its own weights.
    assert accuracy(states[0].network, test) < accuracy(states[-1].network, test) - 0.1


def test_training_is_deterministic(some):
    one, two = train(*some, epochs=3, seed=1), train(*some, epochs=3, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(one.weights, two.weights, strict=True))
    assert not np.array_equal(one.weights[0], train(*some, epochs=3, seed=2).weights[0])


def test_labels_are_probabilities_of_one_digit(some):
    hard, soft = train(*some, epochs=2), train(some.images, one_hot(some.labels), epochs=2)
    assert all(np.array_equal(a, b) for a, b in zip(hard.weights, soft.weights, strict=True))


def test_size_of_a_network():
    network = new_network([16, 8], seed=0)
    assert network.parameters == 65 * 16 + 17 * 8 + 9 * 10
    assert network.bytes == 4 * network.parameters


def test_a_high_temperature_evens_out_and_keeps_the_order():
    logits = np.array([[2.0, 1.0, -3.0]])
    mild, hot = softmax(logits), softmax(logits, temperature=5)
    assert mild.sum() == pytest.approx(1)
    assert hot.max() < mild.max()
    assert np.array_equal(mild.argsort(), hot.argsort())
    assert np.isfinite(softmax(np.array([1e4, 0.0]))).all()
