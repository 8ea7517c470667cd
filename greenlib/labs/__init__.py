"""Small real models trained on the reader's own processor: seconds, joules and quality that are yours.

Each file is a room: ``gl.labs.language`` is loaded when it is first used. Text, model and adapters are plain NumPy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["adapters", "digits", "distil", "experiments", "language", "quantise", "runs", "text"],
)
