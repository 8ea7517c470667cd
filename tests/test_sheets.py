"""What a student receives: no solution in it, and failing until there is one."""

import nbformat
import pytest
import sheets
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from prose import SHEETS

each_sheet = pytest.mark.parametrize("solved", SHEETS, ids=[path.stem for path in SHEETS])


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Every sheet as a student receives it."""
    folder = tmp_path_factory.mktemp("release")
    for path in SHEETS:
        sheets.release(path, folder / path.stem / path.name)
    return folder


@each_sheet
def test_a_released_sheet_holds_no_solution(solved, released):
    cells = nbformat.read(released / solved.stem / solved.name, as_version=4).cells
    text = "\n".join(cell.source for cell in cells)
    for mark in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME"):
        assert mark not in text
    assert "NotImplementedError" in text


@each_sheet
def test_a_released_sheet_fails_unsolved(solved, released):
    notebook = nbformat.read(released / solved.stem / solved.name, as_version=4)
    with pytest.raises(CellExecutionError, match=r"NotImplementedError|AssertionError"):
        NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(solved.parent)}}).execute()
