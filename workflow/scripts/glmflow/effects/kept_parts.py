"""Where a long computation keeps its parts (`glmflow.training.parts.Parts`), as the engine sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from numpy.typing import NDArray


class KeptParts(Protocol):
    """Parts of a computation, by number."""

    def array(self, number: int, make: Callable[[], NDArray]) -> NDArray:
        """Return the array of a part: as it was kept, or made now and kept."""
        ...
