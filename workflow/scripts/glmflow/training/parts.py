"""Tables and arrays of a long computation, kept part by part: one that was killed goes on after its last whole part."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.files import atomic_path

from .loop.checkpoints import identity_hash

log = logging.getLogger(__name__)


class Parts:
    """The parts that an earlier attempt at the same computation has left.

    Parameters
    ----------
    root
        Folder of the parts; gone when the computation is done (`remove`).
    identity
        Everything the parts depend on, as JSON data. Parts of another identity are not used.
    """

    def __init__(self, root: Path, identity: Mapping[str, Any]):
        self.root, self.folder = root, root / identity_hash(identity)[:12]
        found = sum(1 for _ in self.folder.glob("[0-9]*"))
        if found:
            log.info("going on after %d parts of an earlier attempt", found)

    def tables(self, number: int, make: Callable[[], Sequence[pd.DataFrame]]) -> list[pd.DataFrame]:
        """Return the tables of a part: as they were kept, or made now and kept."""
        folder = self.folder / str(number)
        if not folder.is_dir():
            with atomic_path(folder) as temporary:
                temporary.mkdir()
                for place, table in enumerate(make()):
                    table.to_parquet(temporary / f"{place}.parquet", index=False)
        return [pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]

    def array(self, number: int, make: Callable[[], NDArray]) -> NDArray:
        """Return the array of a part: as it was kept, or made now and kept."""
        path = self.folder / f"{number}.npy"
        if path.is_file():
            return np.load(path)
        found = make()
        with atomic_path(path) as temporary:
            np.save(temporary, found)
        return found

    def remove(self) -> None:
        """Delete all parts."""
        shutil.rmtree(self.root, ignore_errors=True)
