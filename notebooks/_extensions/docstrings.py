"""Attribute docstrings are sentences: napoleon would take what stands before a colon in one for a type."""

from sphinx.application import Sphinx


def keep_sentence(app, what, name, obj, options, lines):
    """Begin with an empty comment: napoleon looks for the type in the first line that is not blank."""
    if what in {"attribute", "data", "property"} and lines:
        lines[:0] = ["..", ""]


def setup(app: Sphinx):
    """Come before napoleon."""
    app.connect("autodoc-process-docstring", keep_sentence, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
