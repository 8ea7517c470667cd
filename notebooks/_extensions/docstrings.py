"""Attribute docstrings are sentences: napoleon would take what stands before a colon in one for a type."""

from sphinx.application import Sphinx


def keep_sentence(app, what, name, obj, options, lines):
    """Begin with an empty line, which napoleon finds no type in."""
    if what in {"attribute", "data", "property"} and lines:
        lines.insert(0, "")


def setup(app: Sphinx):
    """Come before napoleon."""
    app.connect("autodoc-process-docstring", keep_sentence, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
