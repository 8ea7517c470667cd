"""Run the chapters that need it, several at once, and run them again when greenlib or its data changed."""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

MARK = "made_with"


def library_digest(root: Path) -> str:
    """Digest of what a chapter's numbers depend on besides its own cells."""
    digest = hashlib.sha256()
    library = sorted(path for path in (root / "greenlib").rglob("*") if path.suffix in {".py", ".csv", ".json"})
    for path in [root / "requirements.txt", *library]:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def forget_stale(app: Sphinx, env, added, changed, removed) -> set[str]:
    """Empty the cache when the library changed: it knows a chapter by its cells alone."""
    cache = Path(env.mystnb_config.execution_cache_path)
    digest = library_digest(Path(app.srcdir))
    mark = cache / MARK
    if mark.exists() and mark.read_text() == digest:
        return set()
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    mark.write_text(digest)
    return {name for name in env.found_docs if env.doc2path(name).endswith(".ipynb")}


def run_together(app: Sphinx, env, docnames) -> None:
    """Fill the cache before the chapters are read one after another.

    A chapter that fails is left out: it fails again when it is read, and is reported there.
    """
    cache = get_cache(env.mystnb_config.execution_cache_path)
    waiting = {}
    for name in docnames:
        path = Path(env.doc2path(name))
        if path.suffix == ".ipynb":
            notebook = nbformat.read(path, as_version=4)
            try:
                cache.match_cache_notebook(notebook)
            except KeyError:
                waiting[path] = notebook
    if not waiting:
        return
    logger.info("running %d chapters", len(waiting))

    def run(path: Path):
        return single_nb_execution(
            waiting[path],
            cwd=str(path.parent),
            timeout=app.config.nb_execution_timeout,
            allow_errors=False,
            # Kernels warn that they talk over the local network interface, once each.
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, result in zip(waiting, pool.map(run, waiting), strict=True):
            if result.err is None:
                bundle = CacheBundleIn(waiting[path], str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app: Sphinx):
    """Hook in before the chapters are read. A build makes no predictions of its own."""
    os.environ["GREENLIB_JOURNAL"] = "off"
    app.connect("env-get-outdated", forget_stale)
    app.connect("env-before-read-docs", run_together)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
