"""The same scored bases behind shorter contexts, and behind contexts that hold no information."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PHASE = "phase_"
"""Beginning of the names of readings of k-mers, which stand among controls."""


class Asked(NamedTuple):
    """One window as it is shown to a model: `control` is empty where it is as it is."""

    example: str
    context_bp: int
    control: str
    sequence: NDArray[np.uint8]


def asked_windows(
    examples: pd.DataFrame, contexts: Sequence[int], controls: Sequence[str], seed: int
) -> Iterator[Asked]:
    """Yield every window at every context, those of one length one after the other.

    Beyond the shortest context, what lies farther than it is replaced by the bases of the window `far` at the same places
    (`far_replaced`) or put in another order (`shuffled`).
    """
    nearest = min(contexts)
    for context in sorted(contexts):
        for control in ("", *(controls if context > nearest else ())):
            for number, row in enumerate(examples.itertuples()):
                length = context + row.scored
                sequence = np.frombuffer(row.sequence.encode(), np.uint8)[-length:]
                if control:
                    far = context - nearest
                    other = np.frombuffer(row.far.encode(), np.uint8)[-length:][:far]
                    if control == "shuffled":
                        other = np.random.default_rng([seed, number]).permutation(sequence[:far])
                    sequence = np.concatenate([other, sequence[far:]])
                yield Asked(row.example, context, control, sequence)
