"""A reader's predictions, kept in a file of the reader's own, so that they can be scored over the whole book.

Only :func:`greenlib.claims.prediction` in a running notebook writes here, one line a prediction. The file lies in the
folder that the system has for a user's data, or where ``GREENLIB_JOURNAL`` says; if it says ``off``, nothing is kept.
Nothing leaves the machine.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenlib.checks import DataError

if TYPE_CHECKING:
    import pandas as pd

    from greenlib.claims import Prediction

__all__ = ["journal_file", "predictions", "record"]


def journal_file() -> Path | None:
    """Return the file of the journal; None where it is switched off.

    Returns:
        The path that ``GREENLIB_JOURNAL`` names, else ``predictions.jsonl`` among the user's data.

    Taught in the appendix on your predictions.
    """
    import platformdirs

    named = os.environ.get("GREENLIB_JOURNAL", "").strip()
    if named == "off":
        return None
    return Path(named or Path(platformdirs.user_data_dir("greenlib")) / "predictions.jsonl")


def _in_notebook() -> bool:
    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None


def record(prediction: Prediction) -> None:
    """Append a prediction to the journal, if the code runs in a notebook and a file can be written.

    Args:
        prediction: What :func:`greenlib.claims.prediction` returned.

    Taught in the appendix on your predictions.
    """
    if not _in_notebook() or (file := journal_file()) is None:
        return
    entry = dataclasses.asdict(prediction) | {"recorded": datetime.datetime.now(datetime.UTC).isoformat()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")
    except OSError:
        return  # a chapter runs without a journal, too


_NUMBERS = ("low", "high", "actual")


def _entry(line: str) -> list[Any]:
    entry = json.loads(line)
    recorded = datetime.datetime.fromisoformat(entry["recorded"])
    return [str(entry["question"]), *(float(entry[name]) for name in _NUMBERS), recorded.astimezone(datetime.UTC)]


def predictions() -> pd.DataFrame:
    """Return the reader's predictions, the first one for each question: later ones know the answer.

    Returns:
        One row a question, in the order in which they were first answered: ``question``, ``low``, ``high``, ``actual``,
        ``holds`` (whether the range held the value) and ``recorded``, the time in UTC. Empty without a journal.

    Raises:
        DataError: A line of the file cannot be read; deleting the line, or the file, mends it.

    Taught in the appendix on your predictions.
    """
    import pandas as pd

    file = journal_file()
    known = file is not None and file.is_file()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if known else []
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(_entry(line))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(str(file), "is not a prediction", row=number) from error
    rows = pd.DataFrame(entries, columns=["question", *_NUMBERS, "recorded"]).astype(dict.fromkeys(_NUMBERS, float))
    rows["recorded"] = pd.to_datetime(rows["recorded"], utc=True)
    rows = rows.sort_values("recorded", kind="stable").drop_duplicates("question", ignore_index=True)
    rows.insert(4, "holds", rows["actual"].between(rows["low"], rows["high"]))
    return rows
