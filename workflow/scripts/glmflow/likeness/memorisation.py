"""Which generated sequences are copies of training sequences, against what held-out real ones share with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glmflow.dna.exact_matches import Match


def memorisation(names: Sequence[str], generated: Sequence[Match], real: Sequence[int]) -> tuple[pd.DataFrame, float]:
    """Return a row a generated piece, and the 99th percentile of the longest matches of held-out real pieces.

    Parameters
    ----------
    real
        Bases of the longest match of each held-out real piece.

    Returns
    -------
    DataFrame
        `sequence`, `length`, `longest` (bases of the longest exact match to training), `strand` (`+` or `-`), `covered_32`,
        `covered_50` (bases in matches of that length and more), `above` (longer than the percentile).
    """
    threshold = float(np.percentile(real, 99))
    table = pd.DataFrame(
        {
            "sequence": list(names),
            "length": [len(match.length) for match in generated],
            "longest": [match.longest for match in generated],
            "strand": ["+" if match.forward >= match.reverse else "-" for match in generated],
            "covered_32": [match.covered(32) for match in generated],
            "covered_50": [match.covered(50) for match in generated],
        }
    )
    return table.assign(above=table["longest"] > threshold), threshold
