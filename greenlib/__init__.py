"""The energy, carbon and water of language models, as plain arithmetic with sourced numbers."""

import lazy_loader

# The function and its room share a name: imported first, the function keeps it.
from greenlib.footprint import footprint  # noqa: F401

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
