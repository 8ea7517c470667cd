"""Outside services, one file each: a recorded replay by default, the real service where the reader has a key for it.

A service with a key is asked when its environment variables hold one; a service without is asked when its variable
names an address. Otherwise the answer is a replay from ``feeds/replays``: recorded where the answer may be passed on,
else schema-true with values of our own. It is stamped ``replayed`` wherever it is shown.
:mod:`greenlib.feeds.service` says how all of them are asked.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "boagent",
        "boavizta",
        "climatiq",
        "electricity_maps",
        "green_algorithms",
        "mlco2",
        "mlenergy",
        "neso",
        "service",
        "signal",
        "watttime",
    ],
)
