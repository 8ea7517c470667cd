"""The build files agree with one another, and the book's own Sphinx extensions do what they say."""

import itertools
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import chapters
import docstrings
import mathml
import nbformat
import offline
import pytest
import sheets
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sphinx.ext.napoleon import Config, GoogleDocstring

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


def toc_files(node):
    if isinstance(node, dict):
        return [node[key] for key in ("root", "file") if key in node] + toc_files(list(node.values()))
    return [name for part in node for name in toc_files(part)] if isinstance(node, list) else []


def test_lock_names_exact_versions_and_ends_with_the_project():
    assert LOCK[-1] == "-e ."
    for line in LOCK[:-1]:
        assert re.fullmatch(r"[a-z0-9._-]+(\[[a-z,]+\])?==[^\s;]+( ; .+)?", line), line


def test_lock_satisfies_every_direct_dependency():
    locked = {}
    for line in LOCK[:-1]:
        name, version = line.split(" ;")[0].split("==")
        locked.setdefault(canonicalize_name(name.split("[")[0]), []).append(version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in itertools.chain(project["dependencies"], *project["optional-dependencies"].values()):
        wanted = Requirement(text)
        versions = locked.get(canonicalize_name(wanted.name), [])
        assert versions, f"{wanted.name} is not in the lock"
        assert all(wanted.specifier.contains(version) for version in versions), text


def test_table_of_contents_lists_the_chapters_that_exist_and_no_other():
    listed = toc_files(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    assert len(listed) == len(set(listed))
    pages = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for path in (ROOT / "notebooks").iterdir()
        if path.suffix in {".ipynb", ".md"}
    }
    assert set(listed) == pages


def test_library_page_shows_every_room():
    page = (ROOT / "notebooks" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"automodule:: greenlib\.([\w.]+)", page)
    files = [path.relative_to(ROOT / "greenlib") for path in (ROOT / "greenlib").rglob("*.py")]
    rooms = [".".join(path.with_suffix("").parts) for path in files if not path.stem.startswith("_")]
    assert sorted(shown) == sorted(rooms)


def test_readme_names_the_commands_of_the_makefile():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    texts = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    named = set(re.findall(r"`?make (\w+)", texts))
    assert {"book", "test", "lab"} <= named <= set(targets)


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"\frac{a}{b}", ["<mfrac>"]),
        (r"\sum_{i=1}^n x_i^2", ["<msubsup>", "&#x02211;"]),
        (r"E_\text{facility} \times \mathrm{PUE}", ["<mtext>facility</mtext>", "&#x000D7;"]),
        (r"\arg\min_{s} g_s", ["arg", "min"]),
        (r"\left(1 - \frac{1}{G}\right)^B", ['stretchy="true"', "<msup>"]),
    ],
)
def test_formula_becomes_mathml(latex, parts):
    markup = mathml.to_mathml(latex, display=False)
    assert all(part in markup for part in parts)


@pytest.mark.parametrize("latex", [r"\begin{aligned} a &= b \end{aligned}", "a &= b", r"x_i_j", r"\gramm{a}"])
def test_formula_that_would_be_drawn_wrongly_is_refused(latex):
    with pytest.raises(ValueError, match=r".+"):
        mathml.to_mathml(latex, display=True)


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example.org/x.js"></script>',
        '<link rel="stylesheet" href="//example.org/x.css">',
        '<img src="https://example.org/x.png">',
        '<img srcset="small.png 1x, https://example.org/x.png 2x">',
        "<style>@font-face { src: url('https://example.org/x.woff2') }</style>",
        '<p style="background: url(https://example.org/x.png)">',
        '<script>const address = "https://unpkg.com/thebe"</script>',
        '<iframe src="https://example.org"></iframe>',
    ],
)
def test_page_that_loads_from_another_host_is_found(html):
    assert len(offline.outside_loads(html)) == 1


def test_link_that_a_reader_clicks_is_no_load():
    assert offline.outside_loads('<a href="https://example.org">a</a><img src="../_images/x.svg">') == []


def test_icon_script_leaves_the_built_pages_and_outside_loads_stop_the_build(tmp_path):
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"))
    page = tmp_path / "a.html"
    page.write_text('<p></p>\n<script src="_static/vendor/fontawesome/6/js/all.min.js?digest=1"></script>')
    offline.finish(app, None)
    assert page.read_text() == "<p></p>"
    page.write_text('<img src="https://example.org/x.png">')
    with pytest.raises(offline.ExtensionError, match=r"a\.html: https://example\.org/x\.png"):
        offline.finish(app, None)


def test_colon_in_an_attribute_docstring_makes_no_type():
    lines = ["Where it comes from: provider or country."]
    assert ":type:" in str(GoogleDocstring(lines, Config(), what="attribute", name="method"))
    docstrings.keep_sentence(None, "attribute", "method", None, None, lines)
    page = str(GoogleDocstring(lines, Config(), what="attribute", name="method"))
    assert ":type:" not in page
    assert "Where it comes from: provider or country." in page


def solved_sheet():
    def marks(name, **other):
        base = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}
        return {"nbgrader": {**base, "grade_id": name, **other}}

    answer = nbformat.v4.new_code_cell("### BEGIN SOLUTION\nanswer = 2\n### END SOLUTION")
    answer.metadata.update(marks("answer", solution=True), jupyter={"source_hidden": True})
    check = nbformat.v4.new_code_cell(
        "assert answer == 2\n### BEGIN HIDDEN TESTS\nassert answer != 3\n### END HIDDEN TESTS"
    )
    check.metadata.update(marks("check", grade=True, locked=True, points=1))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=[answer, check], metadata={"kernelspec": kernel})


def test_released_sheet_holds_neither_solution_nor_hidden_test(tmp_path):
    solved, target = tmp_path / "solved.ipynb", tmp_path / "release" / "sheet.ipynb"
    nbformat.write(solved_sheet(), solved)
    sheets.release(solved, target)
    answer, check = nbformat.read(target, as_version=4).cells
    assert "answer = 2" not in answer.source
    assert "NotImplementedError" in answer.source
    assert "jupyter" not in answer.metadata
    assert check.source == "assert answer == 2"
    assert check.metadata.nbgrader.checksum


def test_chapters_run_again_when_the_library_or_its_data_changes(tmp_path):
    (tmp_path / "greenlib" / "data").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("numpy==2.0")
    data = tmp_path / "greenlib" / "data" / "sites.csv"
    data.write_text("site,pue\na,1.1\n")
    before = chapters.library_digest(tmp_path)
    assert chapters.library_digest(tmp_path) == before
    data.write_text("site,pue\na,1.2\n")
    assert chapters.library_digest(tmp_path) != before
