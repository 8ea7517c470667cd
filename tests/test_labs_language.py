"""The small language model, its gradients, its adapters, and the two experiments with it."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import threadpoolctl
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError, ArgumentTypeError, UnknownNameError
from greenlib.labs import adapters, experiments, language, runs, text
from greenlib.labs.language import Shape

DENSE = Shape(context=3, embedding=4, width=6, hidden=10)
SPARSE = Shape(context=3, embedding=4, width=6, hidden=5, experts=4, experts_per_token=2)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    with runs.one_thread():
        yield


@pytest.fixture(scope="module")
def batch():
    return text.windows(text.corpus("manual").training, 3)[1000:1040]


def ready(shape, seed=3, rank=None):
    """Weights in float64, biases and adapters moved off their zeros."""
    weights = language.initial(shape, seed=seed, dtype=np.float64)
    if rank is not None:
        weights = adapters.with_adapters(weights, rank=rank, seed=seed)
    generator = np.random.default_rng(seed)
    return {name: array + 0.1 * generator.normal(size=array.shape) for name, array in weights.items()}


@pytest.mark.parametrize("rank", [None, 2])
@pytest.mark.parametrize("shape", [DENSE, SPARSE], ids=["dense", "sparse"])
def test_gradients_by_hand_are_the_numerical_ones(shape, rank, batch):
    weights = ready(shape, rank=rank)
    _, gradients = language.loss(weights, shape, batch)
    assert set(gradients) == set(weights)
    generator, step = np.random.default_rng(0), 1e-6
    for name, array in weights.items():
        used = np.argwhere(gradients[name]) if name == "embedding" else np.argwhere(np.ones_like(array))
        for place in generator.permutation(used)[:12]:
            moved = []
            for sign in (1, -1):
                array[tuple(place)] += sign * step
                moved.append(language.loss(weights, shape, batch)[0])
                array[tuple(place)] -= sign * step
            numerical = (moved[0] - moved[1]) / (2 * step)
            assert gradients[name][tuple(place)] == pytest.approx(numerical, rel=1e-5, abs=1e-8), (name, place)


FEW = [["head", "head.bias"], ["up.a", "up.b"], ["mix"], ["embedding"]]


@pytest.mark.parametrize(
    ("shape", "names"), [(DENSE, few) for few in FEW] + [(SPARSE, few) for few in [*FEW, ["router"]]]
)
def test_asking_for_a_few_gradients_gives_the_same_ones(shape, names, batch):
    weights = ready(shape, rank=2)
    _, few = language.loss(weights, shape, batch, trained=names)
    _, every = language.loss(weights, shape, batch)
    assert list(few) == names
    for name in names:
        np.testing.assert_array_equal(few[name], every[name])


def test_experts_that_are_all_alike_are_one_dense_block(batch):
    dense = ready(DENSE)
    shape = Shape(context=3, embedding=4, width=6, hidden=10, experts=5, experts_per_token=2)
    sparse = ready(shape)
    for name, array in dense.items():
        sparse[name] = np.repeat(array, len(sparse[name]), axis=0) if name.startswith(("up", "down")) else array
    np.testing.assert_allclose(
        language.predict(sparse, shape, batch[:, :-1]), language.predict(dense, DENSE, batch[:, :-1]), rtol=1e-10
    )


def test_a_character_does_not_feel_the_experts_that_it_did_not_go_to(batch):
    weights, one = ready(SPARSE), batch[:1, :-1]
    before = language.predict(weights, SPARSE, one)
    chosen = language._forward(weights, SPARSE, one)["chosen"][0]
    assert len(chosen) == 2
    for expert in range(4):
        weights["down"][expert] += 1
        moved = not np.array_equal(language.predict(weights, SPARSE, one), before)
        assert moved == (expert in chosen)
        weights["down"][expert] -= 1


def test_the_balancing_loss_spreads_the_choices(monkeypatch):
    manual = text.corpus("manual")
    shape = Shape(context=4, embedding=8, width=16, hidden=8, experts=8, experts_per_token=2)
    heaviest = {}
    for balance in (0.0, 1.0):
        monkeypatch.setattr(language, "BALANCE", balance)
        trained = language.train(
            language.initial(shape, seed=1), shape, manual.training, steps=150, seed=1, learning_rate=1e-2
        )
        chosen = language._forward(trained, shape, text.windows(manual.held_out, 4)[:2000, :-1])["chosen"]
        heaviest[balance] = np.bincount(chosen.ravel(), minlength=8).max() / chosen.size
    assert 1 / 8 <= heaviest[1.0] < heaviest[0.0]


@pytest.mark.parametrize("shape", [DENSE, SPARSE], ids=["dense", "sparse"])
def test_training_is_the_same_for_the_same_seed_and_leaves_its_start_alone(shape):
    manual, start = text.corpus("manual"), language.initial(shape, seed=0)
    kept = {name: array.copy() for name, array in start.items()}
    first, again, other = (
        language.train(start, shape, manual.training, steps=5, seed=seed, batch_size=32) for seed in (1, 1, 2)
    )
    for name in start:
        np.testing.assert_array_equal(start[name], kept[name])
        np.testing.assert_array_equal(first[name], again[name])
    assert any(not np.array_equal(first[name], other[name]) for name in start)
    assert first["up"].dtype == np.float32


def test_only_what_is_to_be_trained_changes():
    start = language.initial(DENSE, seed=0)
    trained = language.train(
        start, DENSE, text.corpus("manual").training, steps=3, seed=0, trained=["head", "head.bias"]
    )
    changed = {name for name in start if not np.array_equal(start[name], trained[name])}
    assert changed == {"head", "head.bias"}


def test_a_trained_model_knows_more_than_how_often_each_character_occurs():
    manual, shape = text.corpus("manual"), Shape(context=4, hidden=64)
    untrained = language.initial(shape, seed=0)
    often = np.bincount(manual.training, minlength=96) + 1
    by_frequency = -np.log2(often / often.sum())[manual.held_out].mean()
    trained = language.train(untrained, shape, manual.training, steps=150, seed=0, learning_rate=1e-2)
    bits = language.bits_per_character(trained, shape, manual.held_out, every=10)
    assert bits < by_frequency < language.bits_per_character(untrained, shape, manual.held_out, every=10)


def test_bits_are_the_mean_surprise():
    codes = text.corpus("manual").held_out[:400]
    weights, rows = ready(SPARSE), text.windows(codes, 3)
    shares = language.predict(weights, SPARSE, rows[:, :-1])
    assert shares.sum(axis=1) == pytest.approx(1)
    expected = np.mean([-np.log2(share[answer]) for share, answer in zip(shares, rows[:, -1], strict=True)])
    assert language.bits_per_character(weights, SPARSE, codes) == pytest.approx(expected)


def test_counts_of_weights():
    sparse, dense = (language.initial(shape, seed=0) for shape in (SPARSE, DENSE))
    assert language.active_params(dense, DENSE) == language.total_params(dense)
    one_expert = 6 * 5 + 5 + 5 * 6 + 6
    assert language.total_params(sparse) - language.active_params(sparse, SPARSE) == 2 * one_expert


def test_a_model_writes_the_same_text_for_the_same_seed():
    weights = language.initial(DENSE, seed=0)
    written = [language.sample(weights, DENSE, "The ", length=20, seed=seed) for seed in (0, 0, 1)]
    assert written[0] == written[1] != written[2]
    assert all(one.startswith("The ") and len(one) == 24 for one in written)
    with pytest.raises(ArgumentError, match="at least 3 characters"):
        language.sample(weights, DENSE, "Th", length=1, seed=0)


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"experts": 2, "experts_per_token": 3}, {"experts": 2, "experts_per_token": 2}]
)
def test_impossible_shapes_are_refused(wrong):
    with pytest.raises(ArgumentError):
        Shape(**wrong)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"seed": -1}])
def test_impossible_training_is_refused(wrong):
    settings = {"steps": 1, "seed": 0} | wrong
    with pytest.raises(ArgumentError):
        language.train(language.initial(DENSE, seed=0), DENSE, np.zeros(50, int), **settings)


def test_an_untrained_adapter_changes_nothing_and_a_merged_one_nothing_more(batch):
    for shape in (DENSE, SPARSE):
        base = language.initial(shape, seed=0)
        beside = adapters.with_adapters(base, rank=2, seed=0)
        contexts = batch[:, :-1]
        np.testing.assert_array_equal(
            language.predict(beside, shape, contexts), language.predict(base, shape, contexts)
        )
        weights = ready(shape, rank=2)
        merged = adapters.merged(weights)
        assert {name: array.shape for name, array in merged.items()} == {n: a.shape for n, a in base.items()}
        np.testing.assert_allclose(
            language.predict(merged, shape, contexts), language.predict(weights, shape, contexts), rtol=1e-9
        )
    with pytest.raises(ArgumentError):
        adapters.with_adapters(base, rank=0, seed=0)


def test_training_an_adapter_leaves_the_base_alone():
    base = language.initial(DENSE, seed=0)
    beside = adapters.with_adapters(base, rank=2, seed=0)
    names = adapters.adapter_names(beside)
    after = language.train(beside, DENSE, text.corpus("programs").training, steps=3, seed=0, trained=names)
    assert {name for name in after if not np.array_equal(after[name], beside[name])} == set(names)
    assert sum(after[name].size for name in names) == 2 * sum(sum(base[n].shape[1:]) for n in adapters.ADAPTED)


def test_nothing_that_is_examined_was_read():
    for name in ("manual", "programs"):
        training, held_out = (text.decode(part) for part in text.corpus(name))
        read = set(training.split("\n\n"))
        asked = held_out.split("\n\n")
        assert len(asked) > 40
        assert not read & set(asked)
    with pytest.raises(UnknownNameError, match="did you mean 'manual'"):
        text.corpus("manuals")


@given(st.text(alphabet=text.ALPHABET, max_size=50))
def test_known_characters_survive_the_code(original):
    assert text.decode(text.encode(original)) == original


def test_other_characters_become_plain_ones():
    assert text.decode(text.encode("“naïve” – it’s")) == '"na ve" - it\'s'


def test_windows_hold_each_character_with_what_came_before():
    np.testing.assert_array_equal(text.windows([5, 6, 7, 8], 2), [[5, 6, 7], [6, 7, 8]])
    with pytest.raises(ArgumentError):
        text.windows([5, 6], 2)


COSTS = {"cpu_seconds", "seconds", "energy_j", "energy_kind", "bytes", "bits_per_character", "steps"}


def test_architectures_gives_one_row_a_run():
    table = experiments.architectures(quick=True, steps=40)
    assert len(table) == 2 * len(experiments.ARCHITECTURES)
    assert not table.duplicated(["seed", "variant"]).any()
    assert set(table.columns) >= COSTS | {"quality", "total_params", "active_params", "seconds_per_character_64"}
    one = table.groupby("variant").first()
    sparse, small, large = (one.loc[name] for name in ("sparse", "dense small", "dense large"))
    assert sparse["active_params"] == pytest.approx(small["active_params"], rel=0.02)
    assert sparse["total_params"] == pytest.approx(large["total_params"], rel=0.02)
    assert (table["bytes"] == 4 * table["total_params"]).all()
    assert one.loc["dense small, longer", "steps"] == 67
    assert table["cpu_seconds"].gt(0).all()
    assert set(table["energy_kind"]) <= {"measured", "estimated", "absent"}
    assert (table["energy_j"].isna() == (table["energy_kind"] == "absent")).all()
    again = experiments.architectures(quick=True, steps=40)
    assert table["bits_per_character"].tolist() == again["bits_per_character"].tolist()


def test_adaptation_gives_one_row_a_run():
    table = experiments.adaptation(quick=True)
    assert len(table) == 2 * len(experiments.ADAPTATIONS)
    assert set(table["variant"]) == set(experiments.ADAPTATIONS)
    assert set(table.columns) >= COSTS | {"quality", "trained_params", "cpu_seconds_to_target", "energy_j_to_target"}
    trained = table.groupby("variant")["trained_params"].first()
    assert trained["from scratch"] == trained["full fine-tune"] == trained["base"]
    assert trained["head only"] < trained["adapter"] < trained["full fine-tune"]
    scratch = table[table["variant"] == "from scratch"]
    assert (scratch["steps_to_target"] <= scratch["steps"]).all()
    bits = table.pivot(index="seed", columns="variant", values="bits_per_character")
    assert (bits["full fine-tune"] < bits["base"]).all()


@pytest.mark.parametrize("experiment", [experiments.architectures, experiments.adaptation])
def test_one_seed_is_not_enough_for_an_interval(experiment):
    with pytest.raises(ArgumentError, match="seeds"):
        experiment(seeds=1)


def test_the_target_is_met_on_the_line_between_two_points():
    steps = np.array([0, 10, 20])
    assert experiments._first_below(3.0, steps, [5.0, 4.0, 2.0]) == 15
    assert experiments._first_below(4.0, steps, [5.0, 4.0, 2.0]) == 10
    assert experiments._first_below(6.0, steps, [5.0, 4.0, 2.0]) == 0
    assert np.isnan(experiments._first_below(1.0, steps, [5.0, 4.0, 2.0]))


def test_answers_take_time():
    assert 0 < experiments.seconds_per_character(SPARSE, batch_size=4, seconds=0.01) < 1
    with pytest.raises(ArgumentError):
        experiments.seconds_per_character(SPARSE, batch_size=0)


def blas_threads():
    return {info["num_threads"] for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"}


def test_threads_are_given_back():
    before = blas_threads()
    with runs.one_thread() as pinned:
        assert pinned == bool(before)
        assert blas_threads() <= {1}
    assert blas_threads() == before


def test_without_a_library_that_can_be_asked_nothing_is_pinned(monkeypatch):
    monkeypatch.setattr(threadpoolctl.ThreadpoolController, "_load_libraries", lambda self: None)
    with runs.one_thread() as pinned:
        assert pinned is False


def test_a_short_block_has_seconds_but_no_joules():
    with runs.measured("nothing") as cost:
        pass
    assert cost.cpu_seconds >= 0
    assert np.isnan(cost.energy_j)
    assert cost.energy_kind == "absent"


@pytest.fixture
def table():
    bits = {"a": [2.0, 2.1, 2.2], "b": [2.5, 2.6, 2.7], "c": [1.9, 2.3, 2.1]}
    return pd.DataFrame(
        [(name, seed, value) for name, values in bits.items() for seed, value in enumerate(values)],
        columns=["variant", "seed", "bits"],
    )


def test_a_summary_has_means_and_intervals(table):
    table.loc[0, "other"] = 1.0
    found = runs.summary(table, ["bits", "other"])
    assert found.index.tolist() == ["a", "b", "c"]
    mean, low, _ = gl.mean_interval([2.0, 2.1, 2.2])
    assert found.loc["a", "bits"].tolist() == pytest.approx([mean, mean - low])
    assert found["other"].isna().all(axis=None)


def test_seeds_decide_together(table):
    found = runs.compare(table, "bits", [("a", "b"), ("b", "a"), ("c", "a")])
    assert found["verdict"].tolist() == ["lower", "higher", "cannot tell"]
    assert found["mean"].tolist() == pytest.approx([-0.5, 0.5, 0.0])
    ratio = runs.compare(table, "bits", [("b", "a")], ratio=True).iloc[0]
    assert ratio["low"] < ratio["mean"] < ratio["high"]
    assert ratio["mean"] == pytest.approx(np.exp(np.mean(np.log([2.5 / 2.0, 2.6 / 2.1, 2.7 / 2.2]))))
    assert ratio.name == "b / a"


def test_a_table_that_cannot_be_compared_is_refused(table):
    with pytest.raises(ArgumentError, match="joules"):
        runs.summary(table, ["joules"])
    with pytest.raises(UnknownNameError):
        runs.compare(table, "bits", [("a", "d")])
    with pytest.raises(ArgumentError, match="at least two runs"):
        runs.compare(table[table["seed"] == 0], "bits", [("a", "b")])
    with pytest.raises(ArgumentTypeError):
        experiments.architectures(seeds=2.5)


def test_the_library_does_not_load_the_labs():
    code = "import sys, greenlib; print([name for name in sys.modules if name.startswith('greenlib.labs')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
