"""Findings of an audit, each with its verdict and a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.labelled.near_pairs import NearPairs
from glmflow.labelled.overlap import best_overlaps

EXAMPLES = 20
"""Pairs that are shown of each finding."""
FAIL = 0.05
"""Share of the test rows above which a leak fails; any leak is warned about."""
LIBRARY = 0.7
"""Identity with the consensus from which on all rows are variants of one sequence."""
LARGE, WHOLE = 0.05, 0.5
"""Share of the rows from which on a component of near copies is mentioned, and from which on no split can part it."""
NOISE = 0.5
"""Spread of the values of copies, as a share of that of all rows, above which values contradict each other."""
PROPERTY_WORDS = {
    "gc": "GC content",
    "n_share": "the share of N",
    "cpg_oe": "CpG observed over expected",
    "ends": "the first and last 8 bases",
    "contig": "the contig",
    "strand": "the strand",
    "nearest training interval": "the label of the nearest training interval",
}
"""Properties whose column is not the word for it."""


class Check(NamedTuple):
    """What one audit found: its name, rows concerned, of how many, verdict, sentence, and the most rows that pass."""

    check: str
    rows: int
    of: int
    verdict: str
    text: str
    threshold: float = 0.0


def quality_checks(facts: Mapping[str, Any], near: NearPairs) -> list[Check]:
    """Return what is found within the data set, whatever its split."""
    rows = facts["rows"]
    found: list[Check] = []
    extra = facts["exact"]["superfluous_rows"]
    found.append(_check("exact copies", extra, rows, extra / rows > FAIL, f"{extra:,} rows repeat an earlier one"))
    both = facts["reverse_complement"]["rows_in_groups"]
    found.append(
        _check("reverse complements", both, rows, both / rows > FAIL, f"{both:,} rows are another one reversed")
    )
    found += conflict_checks(facts, rows, facts.get("target", {}).get("std", 0.0))
    found += letter_checks(facts)
    if near.without:
        text = f"{near.without:,} rows have no stretch of {near.k} bases without N, and were compared as a whole alone"
        found.append(_check("rows without k-mers", near.without, rows, False, text))
    largest = int(near.sizes.max(initial=0))
    text = "no two rows are near copies"
    if largest > 1:
        text = f"{largest:,} rows are near copies of one another, directly or by way of others"
    verdict = "FAIL" if largest > WHOLE * rows else ("WARN" if largest > LARGE * rows else "PASS")
    found.append(Check("largest group of near copies", largest, rows, verdict, text, max(1, int(LARGE * rows))))
    if facts["consensus_identity"] > LIBRARY:
        identity = facts["consensus_identity"]
        text = (
            f"rows agree with their consensus at {identity:.0%} of the bases: variants of one sequence, all near copies"
        )
        found.append(
            Check("one sequence", rows, rows, "WARN", text + "; hold out by number of mutations or by position")
        )
    return found


def conflict_checks(facts: Mapping[str, Any], rows: int, whole: float) -> list[Check]:
    """Return whether labels, or values, of copies of a sequence differ so that no model can be right about all of them.

    Parameters
    ----------
    facts
        Of `conflict_facts`.
    rows, whole
        All rows, and the standard deviation of their values; of classes it is not read.
    """
    if "label_conflicts" in facts:
        conflict = facts["label_conflicts"]
        text = "no sequence has two labels"
        if conflict["rows"]:
            text = (
                f"{conflict['groups_same_sequence_two_labels']:,} sequences have two labels: no model can be right about "
                f"{conflict['least_errors']:,} of these {conflict['rows']:,} rows"
            )
        return [_check("label conflicts", conflict["rows"], rows, conflict["rows"] / rows > FAIL, text)]
    spread = facts["copies_target_sd"]
    if spread is None:
        return []
    repeated, far = rows - facts["once"], spread > NOISE * whole
    text = f"values of copies of a sequence lie {spread:.3g} apart (standard deviation; of all rows {whole:.3g})"
    if far:
        text += f": no model can be right about these {repeated:,} rows"
    return [Check("label conflicts", repeated if far else 0, rows, "WARN" if far else "PASS", text)]


def letter_checks(facts: Mapping[str, Any]) -> list[Check]:
    """Return what is found of letters: ambiguous ones, and classes that differ in lower case or in N."""
    found: list[Check] = []
    rows = facts["rows"]
    if "rows_with_ambiguity_codes" in facts:
        count = facts["rows_with_ambiguity_codes"]
        found.append(
            _check("ambiguous letters", count, rows, False, f"{count:,} rows hold letters other than A, C, G, T")
        )
    if "soft_masked_by_class" in facts and facts["rows_in_lower_case"]:
        found.append(
            _spread("lower case", facts["soft_masked_by_class"], facts["rows_in_lower_case"], rows, "soft-masked bases")
        )
    if "n_share_by_class" in facts and any(facts["n_share_by_class"].values()):
        found.append(_spread("N", facts["n_share_by_class"], facts.get("rows_with_ambiguity_codes", rows), rows, "N"))
    return found


def leak_checks(rows: pd.DataFrame, split: NDArray, pairs: Mapping[str, pd.DataFrame]) -> list[Check]:
    """Return what test rows share with training or validation rows, and validation rows with training rows."""
    words = {"exact": "are copies of", "near": "are near copies of", "overlap": "overlap"}
    found: list[Check] = []
    for held, seen in (("test", ("train", "validation")), ("validation", ("train",))):
        total = int((split == held).sum())
        if not total or not np.isin(split, seen).any():
            continue
        found_rows = {name: leaking_rows(table, split, held, seen) for name, table in pairs.items()}
        if "chrom" in rows:  # also where pairs are too many to be listed
            found_rows["overlap"] = overlapping_rows(rows, split, held, seen)
        for name, leaked in found_rows.items():
            text = f"{len(leaked):,} of {total:,} {held} rows {words[name]} {' or '.join(seen)} rows"
            found.append(_check(f"{name}: {held}", len(leaked), total, len(leaked) > FAIL * total, text))
        if "group" in rows:
            group = spelled_alike(rows["group"])
            known = set(group[np.isin(split, seen)].dropna())
            shared = int((group.isin(known) & (split == held)).sum())
            text = f"{shared:,} of {total:,} {held} rows belong to a group of {' or '.join(seen)} rows"
            found.append(_check(f"group: {held}", shared, total, shared > 0, text))
    return found


def spelled_alike(names: pd.Series) -> pd.Series:
    """Return names without capitals, spaces around them and the version of an Ensembl or RefSeq identifier (`.2`)."""
    number, distinct = pd.factorize(names)  # of a million rows, those of a few thousand genes
    text = pd.Series(distinct).astype(str).str.strip().str.casefold()
    text = text.str.replace(r"^(ens[a-z]*\d+|[nx][a-z]_\d+)\.\d+$", r"\1", regex=True).to_numpy(object)
    found = np.append(text, None)[number]  # a missing name is the last of them
    return pd.Series(found, index=names.index, name=names.name)


def leaking_rows(table: pd.DataFrame, split: NDArray, held: str, seen: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of a split that are in a pair with a row of other splits."""
    first, second = table["first"].to_numpy(np.int64), table["second"].to_numpy(np.int64)
    forth = (split[first] == held) & np.isin(split[second], seen)
    back = (split[second] == held) & np.isin(split[first], seen)
    return np.union1d(first[forth], second[back])


def overlapping_rows(rows: pd.DataFrame, split: NDArray, held: str, seen: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of a split whose interval shares a base with one of other splits."""
    own = np.flatnonzero(split == held)
    return own[best_overlaps(rows.iloc[own], rows[np.isin(split, seen)]) >= 0]


def property_checks(properties: pd.DataFrame) -> list[Check]:
    """Return the properties that alone tell most of the labels."""
    found: list[Check] = []
    for row in properties.itertuples(index=False):
        if row.property == "majority":
            continue
        name = PROPERTY_WORDS.get(row.property, row.property)
        text = f"{name} alone reaches {row.metric} {row.value:.3f} (majority {row.majority:.3f})"
        if row.metric == "pearson":
            text = f"{name} alone reaches r = {row.value:.3f}"
        if row.telling:
            text += "; a model below it has learned nothing else"
        found.append(Check(f"{row.property} alone", 0, 0, "WARN" if row.telling else "PASS", text))
    return found


def exchange_checks(split: NDArray, exchanged: NDArray[np.int64]) -> list[Check]:
    """Return the finding of test rows that are other rows with letters exchanged, where there are any."""
    if not len(exchanged):
        return []
    total = int((split == "test").sum())
    text = f"{len(exchanged):,} of {total:,} test rows are training or validation rows with letters exchanged (A and G, or A and C)"
    return [_check("letters exchanged: test", len(exchanged), total, len(exchanged) > FAIL * total, text)]


def exact_pairs(copies: pd.DataFrame) -> pd.DataFrame:
    """Return each row with the first one that is the same on either strand, and with the next: `first`, `second`."""
    order = np.argsort(copies["copy"].to_numpy(), kind="stable")
    copy, strand = copies["copy"].to_numpy()[order], copies["strand"].to_numpy(object)[order]
    start = np.searchsorted(copy, copy)
    later = np.flatnonzero(start != np.arange(len(copy)))
    chain = pd.DataFrame({"first": order[later - 1], "second": order[later]})
    star = pd.DataFrame({"first": order[start[later]], "second": order[later]})
    chain["strand"] = np.where(strand[later - 1] == strand[later], "+", "-")
    star["strand"] = strand[later]
    pairs = pd.concat([star, chain]).drop_duplicates(["first", "second"], ignore_index=True)
    return pairs.assign(share=1.0)


def example_pairs(
    rows: pd.DataFrame,
    split: NDArray,
    target: NDArray,
    classes: Sequence[str] | None,
    pairs: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Return up to 20 pairs of each finding, those between test and other rows first, then those of unlike labels."""
    parts = []
    for name, table in pairs.items():
        first, second = table["first"].to_numpy(np.int64), table["second"].to_numpy(np.int64)
        across = (split[first] != split[second]) & ((split[first] == "test") | (split[second] == "test"))
        unlike = target[first] != target[second]
        chosen = np.lexsort((second, first, ~unlike, ~across))[:EXAMPLES]
        first, second = first[chosen], second[chosen]
        part = pd.DataFrame({"check": name}, index=range(len(chosen)))
        for side, at in (("first", first), ("second", second)):
            part[side] = rows["example"].to_numpy(object)[at]
            part[f"{side}_split"] = split[at]
            label = target[at]
            part[f"{side}_label"] = [classes[i] for i in label] if classes is not None else label
        parts.append(part.assign(share=table["share"].to_numpy()[chosen], strand=table["strand"].to_numpy()[chosen]))
    return pd.concat(parts, ignore_index=True)


def scored_rows(split: NDArray, target: NDArray, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return training and test rows; a random fifth is the test where the data set has no test split."""
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    if len(train) and len(test):
        return train, test
    order = np.random.default_rng(0).permutation(count)
    return np.sort(order[count // 5 :]), np.sort(order[: count // 5])


def _check(name: str, count: int, of: int, fails: bool, text: str) -> Check:
    return Check(name, int(count), int(of), "FAIL" if fails else ("WARN" if count else "PASS"), text)


def _spread(name: str, by_class: Mapping[str, float], count: int, rows: int, words: str) -> Check:
    """Warn if classes differ in a share of their bases, which `count` of the rows have some of."""
    low, high = min(by_class, key=by_class.get), max(by_class, key=by_class.get)  # type: ignore[arg-type]
    text = f"{words}: {by_class[high]:.1%} of the bases in {high}, {by_class[low]:.1%} in {low}"
    differs = by_class[high] - by_class[low] > 0.05
    return Check(name, count if differs else 0, rows, "WARN" if differs else "PASS", text)
