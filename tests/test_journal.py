"""Predictions made in a notebook are kept and scored; everywhere else nothing is written."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

import greenlib as gl
from greenlib import journal


@pytest.fixture
def notebook(monkeypatch):
    """As if the code ran in a notebook."""
    monkeypatch.setattr(journal, "_in_notebook", lambda: True)


def test_the_first_prediction_of_a_question_counts(notebook):
    gl.prediction("saving", 0.5, 0.7, 0.814)
    gl.prediction("saving", 0.8, 0.9, 0.814)
    gl.prediction("hours", 100, 300, 250)
    kept = gl.predictions()
    assert kept["question"].tolist() == ["saving", "hours"]
    assert kept["holds"].tolist() == [False, True]
    assert kept.loc[0, ["low", "high", "actual"]].tolist() == [0.5, 0.7, 0.814]
    assert str(kept["recorded"].dt.tz) == "UTC"


def test_without_a_journal_there_are_no_predictions_and_no_file(notebook, monkeypatch):
    assert gl.predictions().empty
    monkeypatch.setenv("GREENLIB_JOURNAL", "off")
    gl.prediction("saving", 0.5, 0.7, 0.814)
    assert journal.journal_file() is None
    assert gl.predictions().empty


def test_outside_a_notebook_nothing_is_written():
    gl.prediction("saving", 0.5, 0.7, 0.814)
    assert not journal.journal_file().exists()


def test_a_real_kernel_keeps_a_prediction():
    code = 'import greenlib as gl\ngl.prediction("saving", 0.5, 0.7, 0.814)'
    NotebookClient(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), timeout=60).execute()
    assert gl.predictions()["question"].tolist() == ["saving"]


def test_a_folder_that_cannot_be_written_stops_no_chapter(notebook, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GREENLIB_JOURNAL", str(tmp_path / "file" / "predictions.jsonl"))
    assert not gl.prediction("saving", 0.5, 0.7, 0.814).holds


LINE = '{"question": "hours", "low": 1, "high": 3, "actual": 2, "recorded": "2020-01-01T00:00:00+00:00"}'


@pytest.mark.parametrize(
    "damaged",
    [
        b"{not json",
        b"[1]",
        b"",
        b"\xff\xfe",
        LINE.replace("1,", '"one",').encode(),
        LINE.replace("2020-01-01", "yesterday ").encode(),
    ],
)
def test_a_damaged_line_is_named(notebook, damaged):
    gl.prediction("saving", 0.5, 0.7, 0.814)
    with journal.journal_file().open("ab") as stream:
        stream.write(damaged + b"\n")
    with pytest.raises(gl.DataError, match=r"row 2.*not a prediction"):
        gl.predictions()


def test_what_was_answered_first_counts_wherever_it_stands_in_the_file(notebook):
    gl.prediction("saving", 0.5, 0.7, 0.814)
    gl.prediction("hours", 2.5, 4, 2)
    with journal.journal_file().open("a") as stream:
        stream.write(LINE + "\n")  # its time has no fraction of a second, which the others have
    kept = gl.predictions()
    assert kept["question"].tolist() == ["hours", "saving"]
    assert kept["holds"].tolist() == [True, False]


def test_a_folder_in_place_of_the_file_holds_no_predictions(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("GREENLIB_JOURNAL", str(tmp_path))
    assert not gl.prediction("saving", 0.5, 0.7, 0.814).holds
    assert gl.predictions().empty


def test_a_script_needs_no_notebook_library():
    code = "import greenlib as gl, sys; gl.prediction('a', 1, 2, 3); assert 'IPython' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
