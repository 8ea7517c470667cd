"""Chapters run by a test predict nothing: the journal of the machine's owner stays as it is."""

import os

os.environ["GREENLIB_JOURNAL"] = "off"
