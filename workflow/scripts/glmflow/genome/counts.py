"""What was used and what was left out, counted on the way, with the first names of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

NAMED = 5
"""Names that are given of each item."""


class Counts:
    """Items with their counts and the first of their names."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, str]] = []

    def add(self, item: str, count: int, named: Sequence[str] = ()) -> None:
        """Count something, with the first of its names."""
        detail = ", ".join(map(str, list(named)[:NAMED]))
        self.rows.append((item, int(count), detail + (" ..." if len(named) > NAMED else "")))

    def add_all(self, counts: Mapping[str, int]) -> None:
        """Count several things."""
        for item, count in counts.items():
            self.add(item, count)

    def table(self) -> pd.DataFrame:
        """Return `item`, `count`, `detail`."""
        return pd.DataFrame(self.rows, columns=["item", "count", "detail"])
