"""Where days are lived through: a folder that is kept to be looked at, begun anew, or one that is gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def place(keep: Path | None) -> Iterator[Path]:
    """The folder to keep, or another where none is named."""
    if keep:
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(parents=True)
        yield keep
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
