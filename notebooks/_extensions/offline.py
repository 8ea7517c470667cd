"""The built book loads nothing from another host, and no script that a page can do without."""

import re
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ICON_SCRIPT = re.compile(r'\s*<script src="[^"]*fontawesome[^"]*all\.min\.js[^"]*"></script>')
LOADING_ATTRIBUTES = {"src", "srcset", "poster", "data", "background"}
LOADING_RELATIONS = {"stylesheet", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch", "icon"}
OUTSIDE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
OUTSIDE_CSS = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
# A script may name addresses it never opens; these are the ones that a page's own script could load from.
OUTSIDE_SCRIPT = re.compile(r"https?://[^'\"\s]*(?:cdn|unpkg|jsdelivr|googleapis|mybinder)[^'\"\s]*", re.IGNORECASE)


class _Loads(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag, attrs):
        self._inside = tag
        values = {name: value or "" for name, value in attrs}
        for name, value in values.items():
            if name in LOADING_ATTRIBUTES:
                self.found += [part.split()[0] for part in value.split(",") if OUTSIDE.match(part.strip())]
        if tag == "link" and LOADING_RELATIONS & set(values.get("rel", "").split()):
            self.found += [values["href"]] if OUTSIDE.match(values.get("href", "")) else []
        self.found += OUTSIDE_CSS.findall(values.get("style", ""))

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "style":
            self.found += OUTSIDE_CSS.findall(data)
        elif self._inside == "script":
            self.found += OUTSIDE_SCRIPT.findall(data)


def outside_loads(html: str) -> list[str]:
    """Addresses on other hosts that a browser would load by itself when it shows this page.

    >>> outside_loads('<a href="https://example.org/paper">paper</a> <img src="https://example.org/x.png">')
    ['https://example.org/x.png']
    """
    page = _Loads()
    page.feed(html)
    return page.found


def drop_thebe(app, pagename, templatename, context, doctree):
    """Take the live-code launcher out: it names a CDN on every page and is never switched on."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in str(script).lower() and "thebe" not in str(getattr(script, "attributes", "")).lower()
    ]


def finish(app: Sphinx, exception):
    """Drop the icon script (the icon font does the same work) and refuse a page that loads from elsewhere."""
    if exception or app.builder.format != "html":
        return
    loads = []
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if (lighter := ICON_SCRIPT.sub("", text)) != text:
            page.write_text(lighter, encoding="utf-8")
        loads += [f"{page.name}: {address}" for address in outside_loads(lighter)]
    for script in Path(app.outdir, "_static").rglob("fontawesome/*/js/all.min.js*"):
        script.unlink()
    if loads:
        raise ExtensionError("The book loads from other hosts:\n" + "\n".join(loads))


def setup(app: Sphinx):
    """Run after every other extension has had its say about a page."""
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
