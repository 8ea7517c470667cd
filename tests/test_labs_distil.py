from __future__ import annotations

import numpy as np
import pytest

from greenlib import ArgumentError
from greenlib.labs.digits import digits, softmax, train
from greenlib.labs.distil import LESSONS, distillation


@pytest.fixture(scope="module")
def runs():
    return distillation(quick=True)


def test_a_row_for_every_student_and_every_teacher(runs):
    assert list(runs.columns) == [
        "seed", "variant", "labels", "quality", "cpu_seconds", "seconds", "energy_j", "energy_kind", "bytes",
        "parameters", "seconds_per_picture",
    ]  # fmt: skip
    assert runs.groupby(["seed", "variant", "labels"]).size().eq(1).all()
    assert len(runs) == 2 * (1 + 2 * len(LESSONS))
    assert runs["quality"].between(0, 1).all()
    assert (runs["bytes"] == 4 * runs["parameters"]).all()


def test_the_teacher_is_larger_and_reads_better(runs):
    teacher, students = runs[runs["variant"] == "teacher"], runs[runs["variant"] != "teacher"]
    assert teacher["quality"].min() > students["quality"].max()
    assert teacher["parameters"].min() > 5 * students["parameters"].max()
    assert runs.groupby("parameters")["seconds_per_picture"].nunique().eq(1).all()


def test_pictures_that_the_teacher_labels_help_a_student_with_few_labels(runs):
    few = runs[runs["labels"] == runs["labels"].min()].pivot(index="seed", columns="variant", values="quality")
    assert (few["more pictures"] > few["hard labels"] + 0.1).all()


def test_quality_does_not_depend_on_the_clock():
    settings = {"quick": True, "labels": [50], "steps": 20}
    assert distillation(**settings)["quality"].equals(distillation(**settings)["quality"])


def test_lessons_differ_in_their_targets_alone():
    # Without smoothing, smoothed labels are hard labels; what the teacher adds stays.
    runs = distillation(quick=True, labels=[50], steps=40, smoothing=0)
    table = runs.pivot(index="seed", columns="variant", values="quality")
    assert table["label smoothing"].equals(table["hard labels"].rename("label smoothing"))
    assert not table["soft targets"].equals(table["hard labels"].rename("soft targets"))


@pytest.mark.parametrize(
    "wrong",
    [{"seeds": 1}, {"labels": [60]}, {"more": 30}, {"steps": 0}, {"temperature": 0}, {"smoothing": 2}],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        distillation(quick=True, **wrong)


def test_what_each_student_is_given(monkeypatch):
    given = []

    def noted(images, targets, **settings):
        network = train(images, targets, **settings)
        given.append((len(images), np.asarray(targets), settings.get("temperature", 1), network))
        return network

    monkeypatch.setattr("greenlib.labs.distil.train", noted)
    distillation(quick=True, labels=[50], steps=4, more=100, temperature=4)
    (_, _, _, teacher), *lessons = given[: 1 + len(LESSONS)]
    hard, smooth, soft, more = (targets for _, targets, _, _ in lessons)
    assert [count for count, *_ in lessons] == [50, 50, 50, 150]
    assert [temperature for *_, temperature, _ in lessons] == [1, 1, 4, 1]
    assert sorted(set(hard.ravel().tolist())) == [0, 1]
    assert smooth == pytest.approx(0.9 * hard + 0.01)
    pool = digits(150, seed=20_000).images
    assert soft == pytest.approx(softmax(teacher.logits(pool[:50]), temperature=4), abs=1e-6)
    assert np.array_equal(more[:50], hard)
    assert np.array_equal(more[50:].argmax(axis=1), teacher.logits(pool[50:]).argmax(axis=1))
