"""Formulas become MathML while the book is built, so that no page needs a script or a server to show them."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

# latex2mathml accepts these and draws them wrongly, so they are refused instead.
UNDRAWABLE = re.compile(r"\\begin\{(?!(?:array|cases|[bpv]?matrix)\})\w+\*?\}|&=")


def to_mathml(latex: str, *, display: bool) -> str:
    r"""MathML of a LaTeX formula; ValueError where the result would not look as written.

    >>> to_mathml(r"\frac{a}{b}", display=False)[:58]
    '<math xmlns="http://www.w3.org/1998/Math/MathML" display="'
    """
    if wrong := UNDRAWABLE.search(latex):
        raise ValueError(f"{wrong.group()} cannot be drawn as MathML; write the formula without it")
    # The one common operator that the converter lacks.
    latex = re.sub(r"\\arg(?![a-zA-Z])", r"\\operatorname{arg}", latex)
    try:
        markup = convert(latex.strip(), display="block" if display else "inline")
    except Exception as error:  # the converter has many kinds of its own and no common base
        raise ValueError(f"{type(error).__name__} {error}") from error
    if unknown := re.search(r"\\[a-zA-Z]+", markup):
        raise ValueError(f"{unknown.group()} is not known to the converter")
    return markup


def _formula(node: nodes.Node, *, display: bool) -> str:
    try:
        return to_mathml(node.astext(), display=display)
    except ValueError as error:
        logger.warning("formula %r: %s", node.astext(), error, location=node, type="mathml")
        return ""


def visit_inline(translator, node):
    """Write an inline formula."""
    translator.body.append(_formula(node, display=False))
    raise nodes.SkipNode


def visit_display(translator, node):
    """Write a displayed formula, with its number when it has a label."""
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    translator.body.append(_formula(node, display=True))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx):
    """Offer the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
