"""How far back a model makes use of its context: loss as context grows, recall of a repeated segment.

Two questions are asked of every extended model:

* **Loss.** The same last bases of each window are scored with more and more of what lies before them. All bases,
  bases that continue a repeat and background are kept apart: background hardly gains from context, so their mean
  would hide what happens to either.
* **Recall.** The last bases of a window occur once before, a known distance back: as they are, mutated, or on the
  other strand. What the copy is worth is the loss without it minus the loss with it, in nats per base.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from glmflow.config.tasks.context_extension import ContextExtension
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.genome.repeated_segments import BASES, RECOGNISED, Needle, Windows, find_repeats, needles
from glmflow.tasks.tables import examples_table

MOST_UNKNOWN = 0.1
"""Largest share of unknown bases (N) in a window; among those that are scored there is none."""


def draw_examples(task: ContextExtension, regions: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Draw windows of the test regions for the loss, others for recall, and hide copies in those.

    Parameters
    ----------
    regions
        Table with ``chrom``, ``start``, ``end``, ``split``.

    Raises
    ------
    InputError
        No test region holds a window of the longest context.
    """
    rng = np.random.default_rng([task.seed, 0])
    held_out = regions[regions["split"] == "test"]
    windows = list(draw_windows(held_out, reference, task.window_bp, task.scored, task.examples, rng))
    distance = np.stack([find_repeats(sequence, task.repeat_k) for _, sequence in windows])
    repeat = (distance > 0).astype(np.int8) + (distance > min(task.contexts))
    sequences = Windows(np.stack([sequence for _, sequence in windows]), repeat)
    loss = loss_examples(sequences, task.scored, [name for name, _ in windows])
    recall = task.recall
    # An unknown base is a token of its own to k-mer tokenizers: the copy and the segment would leave their common grid.
    unknown = 0 if task.bases_per_token > 1 else MOST_UNKNOWN
    drawn = draw_windows(held_out, reference, task.window_bp, recall.segment, recall.trials, rng, unknown)
    hidden = [needle for _, window in drawn for needle in jittered_needles(window, task, rng)]
    return pd.concat([loss, recall_examples(hidden, recall.segment)], ignore_index=True)


def draw_windows(
    regions: pd.DataFrame,
    reference: Reference,
    length: int,
    scored: int,
    count: int,
    rng: Generator,
    most_unknown: float = MOST_UNKNOWN,
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield names (coordinates) and sequences of windows of `regions`, each drawn once, with hardly any N."""
    regions = regions[regions["end"] - regions["start"] >= length]
    if regions.empty:
        raise InputError(
            f"no test region holds a window of {length} bp", where="splits.test", fix="Hold out longer regions."
        )
    places = (regions["end"] - regions["start"] - length + 1).to_numpy(np.int64)
    last = places.cumsum()
    seen: set[int] = set()
    for _ in range(100 * count):
        place = int(rng.integers(last[-1]))
        row = int(np.searchsorted(last, place, side="right"))
        chrom, start = regions["chrom"].iloc[row], int(regions["start"].iloc[row] + place - (last[row] - places[row]))
        sequence = reference.fetch(chrom, start, start + length)
        unknown = ~np.isin(sequence, BASES)
        if place in seen or unknown[-scored:].any() or unknown.mean() > most_unknown:
            continue
        seen.add(place)
        yield f"{chrom}:{start}-{start + length}", sequence
        if len(seen) == count:
            return
    raise InputError(
        f"{len(seen)} of {count} windows of {length} bp were found in the test regions that are not rich in N",
        where="splits.test",
        fix="Hold out more, or ask for fewer examples.",
    )


def jittered_needles(window: NDArray[np.uint8], task: ContextExtension, rng: Generator) -> Iterator[Needle]:
    """Yield the needles of one window: at each distance, drawn within the jitter, in each variant.

    Distances drawn are multiples of the bases of a token: from another phase the copy would be other tokens than
    the segment, and a model of k-mers could not know it again.
    """
    recall, token = task.recall, task.bases_per_token
    for distance in recall.distances:
        for variant in recall.variants:
            drawn = token * round(distance * rng.uniform(1 - recall.jitter, 1 + recall.jitter) / token)
            drawn = min(max(drawn, recall.segment), len(window) - recall.segment)
            (needle,) = needles(window[None], rng, [drawn], recall.segment, [variant], recall.substitutions)
            yield needle._replace(distance=distance)


def loss_examples(windows: Windows, scored: int, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one example a window, with which of its bases continue a repeat (1; 2 where it is far).

    Parameters
    ----------
    windows
        Sequences ``[n, T]`` of the longest context, and repeats.
    scored
        Bases at the end that are scored, below the shortest context that will be asked.
    names
        Unique names of the windows, such as coordinates.
    """
    names = [f"loss{index}" for index in range(len(windows.sequence))] if names is None else names
    return examples_table(
        pd.DataFrame(
            {
                "example": list(names),
                "split": "test",
                "subset": "loss",
                "group": list(names),
                "sequence": [_text(row) for row in windows.sequence],
                "scored": scored,
                "repeat": ["".join(map(str, row[-scored:].astype(int))) for row in windows.repeat],
            }
        )
    )


def recall_examples(needles: Sequence[Needle], segment: int) -> pd.DataFrame:
    """Return two examples a needle, with and without the copy; a control shared by needles appears once.

    Parameters
    ----------
    needles
        From `glmflow.genome.repeated_segments.needles`.
    segment
        Bases of the repeated segment.
    """
    rows, controls = [], {}
    for index, needle in enumerate(needles):
        text = _text(needle.control)
        control = controls.setdefault(text, f"control{len(controls)}")
        rows.append((f"recall{index}", control, _text(needle.repeat), needle.variant, needle.distance))
    rows += [(name, name, text, "control", 0) for text, name in controls.items()]
    table = pd.DataFrame(rows, columns=["example", "group", "sequence", "variant", "distance"])
    return examples_table(table.assign(split="test", subset="recall", scored=segment - RECOGNISED))


def _text(sequence: NDArray[np.uint8]) -> str:
    return sequence.tobytes().decode()
