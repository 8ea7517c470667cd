"""How the property tests run: without a clock, since machines are shared, and the same cases each time in CI."""

import os

from hypothesis import settings

settings.register_profile("book", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("book")
