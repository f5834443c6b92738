"""Scores of a whole file by one model: part by part in bounded memory, kept on disk, so that a killed run resumes."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmflow.genome.edit_sets import Source
from glmflow.genome.edits import Edits, edits_of
from glmflow.genome.first_look import SAMPLE, FirstLook
from glmflow.genome.reasons import Reason, counted
from glmflow.genome.stretches import Genome

from .kept_parts import KeptParts
from .likelihood_model import LikelihoodModel
from .null_scores import Nulls
from .score_catalogue import Asked
from .scored_edits import Scored, Settings, score_edits, strands_agree

log = logging.getLogger(__name__)

TOKENS = 2**21
"""Tokens that a part computes, about; it has 16 to 4,096 records."""

FIXED = ("reason", "window_start", "window_bp", "n_bases", "single_fwd", "single_rev")
"""Columns of a part before those of the scores."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a part are.

    Parameters
    ----------
    scores
        Names of scores; each has a forward and a reverse column.
    compared
        Columns that compare scores with neutral sites or random indels.
    """

    scores: tuple[str, ...]
    compared: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(FIXED) + 2 * len(self.scores) + len(self.compared)


def part_size(model: LikelihoodModel, asked: Asked, settings: Settings) -> int:
    """Return how many records a part has: it depends on model and settings alone."""
    tokens = max(1, settings.window // model.k)
    passes = 2 * tokens if "pll" in asked.names else 2
    frames = model.k if settings.frames == "all" and model.kind == "kmer" else 1
    return int(np.clip(TOKENS // (2 * frames * passes * tokens), 16, 4096))


def same_on_both_strands(model: LikelihoodModel, found: FirstLook, asked: Asked, settings: Settings) -> bool:
    """Measure whether a masked model gives centred windows the same scores on both strands; it is said in the log."""
    if not model.masked or not asked.names or found.sampled < SAMPLE:
        return False
    for genome, edits in found.sample:
        scored = score_edits(model, genome, edits, asked, settings)
        if not scored.centred.all() or not strands_agree(scored, np.arange(len(edits))):
            return False
    log.info("%s: both strands agree to 1e-4 on %d windows: centred windows are read on one", model.name, SAMPLE)
    return True


def score_parts(
    model: LikelihoodModel,
    source: Source,
    genome: Genome | None,
    asked: Asked,
    settings: Settings,
    parts: KeptParts,
    *,
    found: FirstLook,
    nulls: Nulls | None = None,
    symbolic: bool = False,
    progress: Callable[[int, float], None] | None = None,
) -> Counter[Reason]:
    """Score all variants of a file; return the alleles of each reason.

    Parameters
    ----------
    parts
        Where each part is kept, `float64[alleles, columns]`; what an earlier attempt left is taken.
    found
        What the first look found.
    nulls
        Scores of neutral sites and random indels to compare with.
    progress
        Called after each part with the alleles done and the seconds it took.
    """
    same = same_on_both_strands(model, found, asked, settings)
    counts: Counter[Reason] = Counter()
    done, single = 0, np.zeros(2, np.int64)
    for number, records in enumerate(source.parts(part_size(model, asked, settings))):
        begin = time.monotonic()
        here = records.genome or genome

        def make(records=records, here=here) -> NDArray[np.float64]:
            edits = edits_of(records, here, symbolic)
            scored = score_edits(model, here, edits, asked, settings, same_strands=same)
            compared = nulls.compare(scored, edits, here) if nulls else np.empty((len(edits), 0))
            return packed(scored, compared)

        table = parts.array(number, make)
        counts.update(counted(table[:, 0].astype(np.uint8)))
        looked = table[:, 4:6].min(1) >= 0
        single += [int(looked.sum()), int((table[looked, 4:6] == 1).all(1).sum())]
        done += len(table)
        if progress:
            progress(done, time.monotonic() - begin)
    if "llr" in asked.names and model.kind == "bpe" and single[0]:
        share = single[1] / single[0]
        log.info("%s: %d of %d alleles (%.0f %%) change one token on both strands and have llr; the others have the "
                 "remaining scores", model.name, single[1], single[0], 100 * share)  # fmt: skip
    return counts


def packed(scored: Scored, compared: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores of alleles as one table of numbers, `float64[n, columns]`."""
    n = len(scored.reason)
    fixed = (scored.reason, scored.start, scored.width, scored.unknown, *scored.single.T)
    return np.column_stack([*fixed, scored.values.reshape(n, 2 * len(scored.names)), compared])


def identity(model_hash: str, source: Source, genome: Path | None, settings: Any, asked: Asked, **more: Any) -> dict:
    """Return everything that the parts of a run depend on, as JSON data."""
    files = {"variants": source.path, **({"genome": genome} if genome else {})}
    return {
        "model": model_hash,
        "files": {name: _fingerprint(path) for name, path in files.items()},
        "settings": asdict(settings),
        "scores": [list(asked.equal), list(asked.changed)],
        **more,
    }


def _fingerprint(path: Path) -> list:
    """Return what tells whether a file has changed."""
    found = path.stat()
    return [str(path.resolve()), found.st_size, found.st_mtime_ns]


class KeptScores:
    """Scores of one model that were kept in parts, read back in order.

    Parameters
    ----------
    parts
        Where they lie.
    columns
        What they are.
    """

    def __init__(self, parts: KeptParts, columns: Columns):
        self.columns = columns
        self._parts = parts
        self._number = 0
        self._left = np.empty((0, len(columns)))

    def take(self, n: int) -> NDArray[np.float64]:
        """Return the next n alleles, `float64[n, columns]`."""
        pieces = [self._left]
        while sum(map(len, pieces)) < n:
            pieces.append(self._parts.array(self._number, _lost))
            self._number += 1
        table = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        self._left = table[n:]
        return table[:n]


def _lost() -> NDArray[np.float64]:
    raise RuntimeError("a part of the scores is gone")


@dataclass
class ModelScores:
    """Scores of one model beside a part of the records.

    Attributes
    ----------
    name
        The model.
    columns
        See `Columns`.
    table
        `float64[alleles, columns]`.
    """

    name: str
    columns: Columns
    table: NDArray[np.float64]

    @property
    def reason(self) -> NDArray[np.uint8]:
        """Why alleles have no score."""
        return self.table[:, 0].astype(np.uint8)

    def strands(self, score: str) -> NDArray[np.float64]:
        """Return one score on both strands, `float64[n, 2]`."""
        first = len(FIXED) + 2 * self.columns.scores.index(score)
        return self.table[:, first : first + 2]

    def fields(self, strands: bool) -> Mapping[str, NDArray[np.float64]]:
        """Return the columns of an output: each score (mean of strands), its strands where asked, and comparisons."""
        found: dict[str, NDArray[np.float64]] = {}
        for score in self.columns.scores:
            both = self.strands(score)
            found[score] = both.mean(1)
            if strands:
                found[f"{score}_fwd"], found[f"{score}_rev"] = both.T
        first = len(FIXED) + 2 * len(self.columns.scores)
        for place, name in enumerate(self.columns.compared):
            found[name] = self.table[:, first + place]
        return found


def beside(
    source: Source, genome: Genome | None, kept: Sequence[tuple[str, KeptScores]], symbolic: bool, size: int = 4096
) -> Iterator[tuple[Any, Edits, list[ModelScores]]]:
    """Yield the records of a file, some at a time, with their edits and what each model gave them."""
    for records in source.parts(size, keep=True):
        edits = edits_of(records, records.genome or genome, symbolic)
        yield records, edits, [ModelScores(name, one.columns, one.take(len(edits))) for name, one in kept]
