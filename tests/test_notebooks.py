"""Every chapter keeps the skeleton, binds its numbers and captions its figures; every sheet can be assigned."""

from __future__ import annotations

import ast
import re

import nbformat
import pytest
from prose import CHAPTERS, LABS, NOTEBOOKS, PAGES, SHEETS, Notebook

CALLS_A_CHART = re.compile(r"\bgl\.figures\.|\bplt\.")

chapters = pytest.mark.parametrize("chapter", [Notebook(path) for path in CHAPTERS], ids=[p.stem for p in CHAPTERS])
labs = pytest.mark.parametrize("lab", [Notebook(path) for path in LABS], ids=[p.stem for p in LABS])
sheets = pytest.mark.parametrize("sheet", [Notebook(path) for path in SHEETS], ids=[p.stem for p in SHEETS])
everything = pytest.mark.parametrize(
    "notebook",
    [Notebook(path) for path in (*PAGES, *SHEETS)],
    ids=[p.stem for p in PAGES] + [f"sheet_{p.stem}" for p in SHEETS],
)


def bullets(text: str) -> list[str]:
    return [" ".join(item.split()) for item in re.findall(r"^- (.+(?:\n  .+)*)", text, re.MULTILINE)]


def objectives(chapter: Notebook) -> list[str]:
    return next(bullets(text) for text in chapter.prose if "After this chapter you can" in text)


def test_there_is_a_sheet_for_every_chapter():
    assert CHAPTERS
    assert [path.stem for path in CHAPTERS] == [path.stem for path in SHEETS]
    assert all(path.parent.name == path.stem for path in SHEETS)


@everything
def test_notebook_is_valid_and_stripped(notebook):
    nbformat.validate(nbformat.read(notebook.path, as_version=4))
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


@everything
def test_cells_hide_nothing(notebook):
    source = "\n".join(notebook.code)
    assert not re.search(r"%%capture|filterwarnings|simplefilter|get_ipython|^\s*#.*\bTODO\b", source, re.MULTILINE)
    assert not re.search(r"^def ", source, re.MULTILINE) or "exercises" in str(notebook.path), (
        "a helper has a room in greenlib"
    )


@everything
def test_no_number_is_unbound(notebook):
    assert notebook.unbound() == []


@everything
def test_claims_occur_in_the_prose(notebook):
    prose = re.sub(r"[\s\u00a0\u202f]+", " ", " ".join(notebook.prose))
    missing = [text for text in notebook.claims if re.sub(r"[\s\u00a0\u202f]+", " ", text) not in prose]
    assert missing == []


@everything
def test_figures_have_number_caption_and_alt_text(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code" and CALLS_A_CHART.search(cell.source):
            options = cell.metadata.get("mystnb", {})
            assert options.get("image", {}).get("alt", "").strip(), f"no alt text: {cell.source}"
            assert options.get("figure", {}).get("caption", "").strip(), f"no caption: {cell.source}"
            assert options.get("figure", {}).get("name", "").startswith("fig-"), f"no name: {cell.source}"


@everything
def test_figure_names_are_unique_in_the_book(notebook):
    def names(one: Notebook) -> list[str]:
        return [c.metadata["mystnb"]["figure"]["name"] for c in one.cells if "figure" in c.metadata.get("mystnb", {})]

    elsewhere = {name for path in (*PAGES, *SHEETS) if path != notebook.path for name in names(Notebook(path))}
    assert len(set(names(notebook))) == len(names(notebook))
    assert not elsewhere & set(names(notebook))


@chapters
def test_chapter_opens_with_a_question_and_objectives(chapter):
    title, goals, imports = chapter.cells[:3]
    assert title.source.startswith("# ")
    assert "?" in title.source
    assert len(objectives(chapter)) == 3
    assert "After this chapter you can" in goals.source
    assert re.search(r"\d+ minutes", goals.source)
    assert "import greenlib as gl" in imports.source
    assert "gl.house_style()" in imports.source


@chapters
def test_chapter_asks_for_a_prediction_and_answers_it(chapter):
    assert any(":class: predict" in text for text in chapter.prose)
    asked = next(i for i, cell in enumerate(chapter.cells) if ":class: predict" in cell.source)
    assert ast.parse(chapter.cells[asked + 1].source).body
    assert any("gl.prediction(" in cell.source for cell in chapter.cells[asked + 2 :])


@chapters
def test_chapter_has_its_boxes_in_order(chapter):
    prose = "\n".join(cell.source for cell in chapter.cells)
    marks = [
        ":class: predict",
        ":class: check-claim",
        ":class: could-be-wrong",
        ":class: takeaways",
        "## Exercises",
        "## Sources",
    ]
    places = [prose.rfind(mark) for mark in marks]
    assert all(place >= 0 for place in places), dict(zip(marks, places, strict=True))
    assert places == sorted(places)
    takeaways = next(text for text in chapter.prose if ":class: takeaways" in text)
    assert len(bullets(takeaways)) == 3
    verdicts = [text for text in chapter.prose if ":class: check-claim" in text]
    assert all(re.search(r"\*(holds|holds if|does not hold)\b", text, re.IGNORECASE) for text in verdicts)


@chapters
def test_chapter_is_short_enough_to_read(chapter):
    assert 15 <= len(chapter.cells) <= 32
    for source in chapter.code:
        statements = ast.unparse(ast.parse(source)).splitlines()
        assert len([line for line in statements if line.strip()]) <= 12, source
        assert len([line for line in source.splitlines() if line.strip()]) <= 24, source


@chapters
def test_chapter_binds_cites_and_draws(chapter):
    assert len(chapter.claims) >= 3
    assert any(CALLS_A_CHART.search(source) for source in chapter.code)
    cited = set(re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", "\n".join(chapter.prose)))
    keys = set(re.findall(r"@\w+\{(\w+),", (NOTEBOOKS / "references.bib").read_text(encoding="utf-8")))
    assert {key.strip() for group in cited for key in group.split(",")} <= keys
    assert cited


@chapters
def test_chapter_asks_again_what_an_earlier_one_taught(chapter):
    number = int(chapter.path.stem[:2])
    asked = [text for text in chapter.prose if text.startswith("## Before you start")]
    if number < 3:
        assert not asked
        return
    (text,) = asked
    assert chapter.cells.index(next(cell for cell in chapter.cells if cell.source == text)) == 3
    assert re.findall(r"^\*\*(\d)\.\*\*", text, re.MULTILINE) == ["1", "2"]
    for question in text.split("**2.**"):
        earlier = [int(found) for found in re.findall(r"\]\((\d\d)_\w+\.ipynb", question)]
        assert earlier
        assert all(found <= number - 2 for found in earlier)
        before, answer = question.split("<details>")
        options = re.findall(r"\(([a-d])\)", before)
        assert len(options) >= 3
        assert all(f"({option})" in answer for option in options), "each wrong option explains its misconception"


@labs
def test_lab_has_its_skeleton(lab):
    title, goals, imports = lab.cells[:3]
    assert title.source.startswith("# ")
    assert "?" in title.source
    assert "After this lab you can" in goals.source
    assert 2 <= len(bullets(goals.source)) <= 3
    assert re.search(r"\d+ minutes", goals.source)
    assert "gl.house_style()" in imports.source
    prose = "\n".join(cell.source for cell in lab.cells)
    marks = [":class: predict", ":class: could-be-wrong", ":class: takeaways", "## Sources"]
    places = [prose.rfind(mark) for mark in marks]
    assert all(place >= 0 for place in places), dict(zip(marks, places, strict=True))
    assert places == sorted(places)
    assert any("gl.prediction(" in source for source in lab.code)
    assert any(CALLS_A_CHART.search(source) for source in lab.code)
    assert any("gl.labs." in source or "gl.track(" in source for source in lab.code)


@labs
def test_chapter_leads_to_its_lab(lab):
    assert any(f"]({lab.path.name})" in text for path in CHAPTERS for text in Notebook(path).prose)


@sheets
def test_sheet_has_three_exercises_that_state_an_objective_of_the_chapter(sheet):
    chapter = Notebook(NOTEBOOKS / sheet.path.name)
    stated = re.findall(r"\*\*Objective:\*\* (.+)", "\n".join(sheet.prose))
    assert len(stated) >= 3
    assert {text.strip() for text in stated} <= set(objectives(chapter))
    levels = re.findall(r"\*\*Level:\*\* (easy|needs the chapter|open)", "\n".join(sheet.prose))
    assert {"easy", "needs the chapter", "open"} <= set(levels)


@sheets
def test_sheet_can_be_graded(sheet):
    graded = [cell.metadata.get("nbgrader", {}) for cell in sheet.cells]
    ids = [meta["grade_id"] for meta in graded if meta]
    assert len(ids) == len(set(ids))
    assert sum(meta.get("solution", False) for meta in graded) >= 3
    solutions = [cell for cell in sheet.cells if cell.cell_type == "code" and "### BEGIN SOLUTION" in cell.source]
    assert all(cell.metadata.get("jupyter", {}).get("source_hidden") for cell in solutions), "folded in JupyterLab"
    assert sum(meta.get("points", 0) for meta in graded if meta.get("grade")) > 0
    assert solutions
    assert any("### BEGIN HIDDEN TESTS" in source or "assert" in source for source in sheet.code)


def test_the_scanner_notices_numbers_that_only_look_bound(tmp_path):
    prose = (
        "It took 12.2 % more, or 2.2 %. It did 777 ZFLOP. A factor of 9.7 stays, between 2.2 and 8.8 times. "
        'That is Seventeen times as much, for $41. *"Others say ninety times."*'
    )
    cells = [nbformat.v4.new_markdown_cell(prose), nbformat.v4.new_code_cell('gl.claim("2.2 %", x)')]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "page.ipynb")
    found = [text.split(" in: ")[0] for text in Notebook(tmp_path / "page.ipynb").unbound()]
    assert found == ["'12.2 %'", "'777 ZFLOP'", "'2.2 and 8.8 times'", "'factor of 9.7'", "'$41'", "'Seventeen'"]
