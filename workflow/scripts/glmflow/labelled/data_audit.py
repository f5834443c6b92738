"""What is wrong with a data set before anything is trained: copies, conflicts, leaks between splits, trivial cues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.packed import Packed, without_padding
from glmflow.genome.similarity import K, exact_copies
from glmflow.labelled.audit_checks import (
    Check,
    exact_pairs,
    example_pairs,
    exchange_checks,
    leak_checks,
    letter_checks,
    property_checks,
    quality_checks,
    scored_rows,
)
from glmflow.labelled.audit_facts import class_facts, copy_facts, length_facts, near_facts, target_facts
from glmflow.labelled.batch_checks import batch_checks
from glmflow.labelled.composition import composition, consensus_identity
from glmflow.labelled.copied_examples import copied_examples
from glmflow.labelled.exchanged_letters import exchanged
from glmflow.labelled.near_pairs import NearPairs, near_pairs, suited_k
from glmflow.labelled.overlap import overlapping_pairs
from glmflow.labelled.separability import separability
from glmflow.labelled.shuffled_classes import shuffled_checks
from glmflow.labelled.simple_predictors import sampled
from glmflow.labelled.split_checks import split_checks, validation_checks
from glmflow.labelled.telling_stretches import stretch_checks

NO_ROWS = np.zeros(0, np.int64)
VALIDATED = 5_000
"""Training, and validation, rows by which labels of validation rows are looked at; a sample of larger sets."""


class Audit(NamedTuple):
    """Findings of an audit.

    Attributes
    ----------
    facts : dict
        Counts by name, as JSON data.
    checks : DataFrame
        `check`, `rows`, `of`, `verdict` (PASS, WARN or FAIL), `text`.
    examples : DataFrame
        Up to 20 pairs of each finding: `check`, `first`, `second` (examples), their splits and labels, `share`, `strand`.
    properties : DataFrame
        What one property alone reaches (see `separability`).
    near : NearPairs
        Near copies; of short sequences those by 11-mers.
    copies : DataFrame
        Held-out rows that are copies of rows a model has seen (`copied_examples`); None where pairs are not listed.
    """

    facts: dict[str, Any]
    checks: pd.DataFrame
    examples: pd.DataFrame
    properties: pd.DataFrame
    near: NearPairs
    copies: pd.DataFrame | None = None


def audit(
    rows: pd.DataFrame,
    packed: Packed,
    target: NDArray,
    classes: Sequence[str] | None,
    k: int | None = None,
    share: float = 0.5,
    cores: int = 1,
) -> Audit:
    """Audit a data set.

    Parameters
    ----------
    rows
        `example`; `split`, `chrom`, `start`, `end`, `group`, `lower`, `ambiguous`, `named`, `kin_*`, `batch_*` where known.
    packed
        Its sequences.
    target
        Class index or number of each row; of several targets the first.
    classes
        Names of the classes; None for numbers.
    k, share
        What a near copy is: by default half of the 21-mers. Where sequences are too short for these, 11-mers are looked
        at as well, and leaks are those of the 11-mers.
    cores
        Threads.
    """
    facts: dict[str, Any] = {"rows": len(rows), "kind": "regression" if classes is None else "classification"}
    describe = composition(packed)
    facts["length"] = length_facts(packed.lengths)
    if "ambiguous" in rows:
        facts["rows_with_ambiguity_codes"] = int((rows["ambiguous"] > 0).sum())
        facts["rows_in_lower_case"] = int((rows["lower"] > 0).sum())
    split = rows["split"].to_numpy(object) if "split" in rows else np.full(len(rows), None, object)
    # Test rows once more, written backwards: canonical forms make these the same as their complements.
    turned = np.flatnonzero(split == "test")
    both, bare = _and_backwards(packed, turned), without_padding(packed)
    copies = both.iloc[: len(rows)]
    backwards = _backwards(both if bare is packed else _and_backwards(bare, turned), split, turned)
    facts |= copy_facts(copies, target, classes is not None)
    if classes is not None:
        facts |= class_facts(rows, describe, target, classes)
    else:
        facts["target"] = target_facts(np.asarray(target, np.float64))
    near = near_pairs(packed, k or K, share, cores=cores)
    facts["near_copies"] = near_facts(near, target if classes is not None else None)
    if k is None and suited_k(packed.lengths) != K:
        near = near_pairs(packed, suited_k(packed.lengths), share, cores=cores)
        facts["near_copies_short"] = near_facts(near, target if classes is not None else None)
    facts["consensus_identity"] = round(consensus_identity(packed), 4)
    pairs = {"exact": exact_pairs(copies), "near": near.table}
    if "chrom" in rows:
        first, second, count = overlapping_pairs(rows)
        pairs["overlap"] = pd.DataFrame({"first": first, "second": second, "share": np.nan, "strand": "+"})
        facts["overlap_by_coordinates"] = {
            "pairs": count,
            "rows": len(np.union1d(first, second)),
            **(
                {"pairs_with_different_labels": int((target[first] != target[second]).sum())}
                if classes is not None
                else {}
            ),
        }
    train, test = scored_rows(split, target, len(rows))
    properties = separability(
        packed,
        describe,
        target,
        None if classes is None else len(classes),
        train,
        test,
        places=rows if "chrom" in rows else None,
    )
    checks = [
        *quality_checks(facts, near),
        *leak_checks(rows, split, pairs),
        *_of_labels(rows, split, target, classes, properties, describe, packed, backwards),
        *_of_validation(split, target, classes, describe, packed),
        *exchange_checks(split, exchanged(packed, split)),
    ]
    if classes is not None:
        checks += shuffled_checks(packed, target, classes, ~copies["copy"].duplicated(keep=False).to_numpy())
    table = pd.DataFrame(checks, columns=list(Check._fields))
    shown = example_pairs(rows, split, target, classes, pairs)
    leaked = copied_examples(rows["example"].tolist(), split, near, copies)
    return Audit(facts, table, shown, properties, near, leaked)


def label_checks(rows: pd.DataFrame, packed: Packed, target: NDArray, classes: Sequence[str] | None) -> list[Check]:
    """Return what is to be known of labels beside copies of sequences: parameters as those of `audit`."""
    describe = composition(packed)
    facts: dict[str, Any] = {"rows": len(rows)}
    if "ambiguous" in rows:
        facts["rows_with_ambiguity_codes"] = int((rows["ambiguous"] > 0).sum())
        facts["rows_in_lower_case"] = int((rows["lower"] > 0).sum())
    if classes is not None:
        facts |= class_facts(rows, describe, target, classes)
    split = rows["split"].to_numpy(object) if "split" in rows else np.full(len(rows), None, object)
    train, test = scored_rows(split, target, len(rows))
    count, places = None if classes is None else len(classes), rows if "chrom" in rows else None
    properties = separability(packed, describe, target, count, train, test, places=places)
    return [*letter_checks(facts), *_of_labels(rows, split, target, classes, properties, describe, packed)]


def _of_labels(
    rows: pd.DataFrame,
    split: NDArray,
    target: NDArray,
    classes: Sequence[str] | None,
    properties: pd.DataFrame,
    describe: pd.DataFrame,
    packed: Packed | None = None,
    backwards: NDArray[np.int64] = NO_ROWS,
) -> Iterator[Check]:
    """Yield what splits, batches, trivial properties and, where there are sequences, stretches of bases tell of labels."""
    yield from split_checks(rows, split, target, classes, properties, backwards, describe)
    yield from batch_checks(rows, split, target, classes)
    yield from property_checks(properties)
    if packed is not None and classes is not None:
        yield from stretch_checks(packed, target, classes)


def _of_validation(
    split: NDArray, target: NDArray, classes: Sequence[str] | None, describe: pd.DataFrame, packed: Packed
) -> list[Check]:
    """Return what is wrong with the validation rows beside copies."""
    generator = np.random.default_rng(0)
    train, held = (sampled(np.flatnonzero(split == name), VALIDATED, generator) for name in ("train", "validation"))
    if not (len(train) and len(held)):
        return []
    chosen = np.concatenate([train, held])
    count = None if classes is None else len(classes)
    properties = separability(packed, describe, target, count, train, held)
    return validation_checks(split[chosen], target[chosen], classes, properties, describe.iloc[chosen])


def interval_audit(
    rows: pd.DataFrame, target: NDArray, classes: Sequence[str] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Audit intervals whose sequences are not at hand: what splits share by coordinates, and what the place alone tells.

    Returns
    -------
    checks, properties : DataFrame
        As those of `Audit`.
    """
    split = rows["split"].to_numpy(object)
    train, test = scored_rows(split, target, len(rows))
    facts = pd.DataFrame({"length": (rows["end"] - rows["start"]).to_numpy()})
    properties = separability(None, facts, target, None if classes is None else len(classes), train, test, places=rows)
    checks = [
        *leak_checks(rows, split, {}),
        *_of_labels(rows, split, target, classes, properties, facts),
    ]
    return pd.DataFrame(checks, columns=list(Check._fields)), properties


def _and_backwards(packed: Packed, turned: NDArray[np.int64]) -> pd.DataFrame:
    """Return the exact copies of all sequences, and behind them of the `turned` ones, written backwards."""
    return exact_copies(chain(packed.each(), (packed.one(row)[::-1] for row in turned)))


def _backwards(copies: pd.DataFrame, split: NDArray, turned: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the test rows that, written backwards, are training or validation rows, and are not so as they stand.

    `copies` has a row for every row of the data set, and one more for each of the `turned` rows, written backwards.
    """
    copy = copies["copy"].to_numpy()
    seen = np.unique(copy[: len(split)][np.isin(split, ("train", "validation"))])
    found = np.isin(copy[len(split) :], seen) & ~np.isin(copy[: len(split)][turned], seen)
    return turned[found]
