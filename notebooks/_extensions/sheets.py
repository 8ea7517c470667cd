"""Exercise sheets: a solved one in the repository, and the student's version made from it while the book is built."""

import os
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

SOLVED = "notebooks/exercises"
RELEASED = "_build/release"


def release(solved: Path, target: Path) -> None:
    """Write the student's version of a solved sheet by nbgrader's own steps, without its database."""
    from nbgrader import preprocessors as steps

    notebook, resources = nbformat.read(solved, as_version=4), {}
    for step in (
        steps.LockCells,
        steps.ClearSolutions,
        steps.ClearOutput,
        steps.CheckCellMetadata,
        steps.ClearHiddenTests,
        steps.ClearMarkScheme,
        steps.ComputeChecksums,
    ):
        notebook, resources = step().preprocess(notebook, resources)
    for cell in notebook.cells:
        # A solution is folded in the solved sheet; the place where a student writes one is not.
        cell.metadata.pop("jupyter", None)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Replaced, never written in place: a copy that a student opened from here stays whole until the next build.
    fresh = target.with_suffix(".new")
    nbformat.write(notebook, fresh)
    os.replace(fresh, target)


def release_all(app: Sphinx) -> None:
    """Bring every student's version up to date with its solved sheet."""
    root = Path(app.srcdir)
    for solved in sorted((root / SOLVED).glob("*/*.ipynb")):
        target = root / RELEASED / solved.parent.name / solved.name
        if not target.exists() or target.stat().st_mtime < solved.stat().st_mtime:
            release(solved, target)


class SheetLinks(SphinxTransform):
    """Let a chapter's plain link to its sheet offer the student's version first, the solved one beside it.

    In JupyterLab the same link opens the sheet itself. A sheet is no page of the book: as a page it would
    show the hidden tests and the marking.
    """

    default_priority = 5

    def apply(self, **kwargs):
        """Rewrite the links."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            name = link.get("reftarget", "").removeprefix(f"{SOLVED}/")
            if link.get("refdomain") != "doc" or name == link.get("reftarget"):
                continue
            solved = _download(f"/{SOLVED}/{name}.ipynb", self.env.docname, nodes.Text("solved"))
            unsolved = _download(f"/{RELEASED}/{name}.ipynb", self.env.docname, *link.children)
            link.replace_self([unsolved, nodes.Text(" ("), solved, nodes.Text(")")])


def _download(target: str, docname: str, *children: nodes.Node) -> addnodes.download_reference:
    node = addnodes.download_reference(
        "", refdomain=None, reftarget=target, refdoc=docname, reftype="download", refexplicit=True
    )
    node += [child.deepcopy() for child in children]
    return node


def setup(app: Sphinx):
    """Make the sheets before the first chapter is read: a link to a missing file is a warning."""
    app.connect("builder-inited", release_all)
    app.add_transform(SheetLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
