"""Whether answers depend on the DNA and on the variant: the same model asked with other alleles in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.statistics.group_draws import group_weights

OTHERS, UNVARIED, ELSEWHERE = "others", "ref_as_alt", "elsewhere"
CONTROLS = {
    OTHERS: "pairs of other questions, with another answer",
    "shuffled": "bases of both alleles shuffled (dinucleotides kept)",
    UNVARIED: "the reference in the variant's place",
    ELSEWHERE: "a substitution near by in place of the own change",
    "swapped": "reference and variant swapped",
    "mean": "one mean vector in every place of the DNA",
    "no_dna": "no DNA",
    "no_words": "the own alleles behind an empty question",
}
"""What is given in place of a question's pair of alleles."""
STAYS = 0.5
"""Share of the answers other than the unchanged one that may stay at most where nothing is varied, for a variant to be read."""
USED, UNUSED, UNREAD, UNKNOWN = "variant used", "text alone", "variant unread", "not asked"
LEAST = 1e-12


class Verdict(NamedTuple):
    """What a model's answers rest on.

    Attributes
    ----------
    verdict : str
        `text alone` (right answers do not need the own pair), `variant unread` (they do, but not what differs in it) or
        `variant used`.
    dna, dna_low, dna_high : float
        Accuracy as it is less that with pairs of other questions, with its 95 % interval over groups.
    variant, variant_low, variant_high : float
        The same with the reference in the variant's place.
    stay : float
        Share of the answers other than the unchanged one that stay then; NaN where none was given.
    elsewhere, elsewhere_low, elsewhere_high : float
        The same with a substitution elsewhere in place of the own change; NaN where that was not asked.
    """

    verdict: str
    dna: float
    dna_low: float
    dna_high: float
    variant: float
    variant_low: float
    variant_high: float
    stay: float
    stay_high: float
    n: int
    groups: int
    elsewhere: float = np.nan
    elsewhere_low: float = np.nan
    elsewhere_high: float = np.nan


class Answers(NamedTuple):
    """Probabilities of the classes for some questions, and the place of each true class.

    Attributes
    ----------
    probabilities : float[n, classes]
    truth : int[n]
    groups : object[n]
    unchanged : int
        Place of the answer for equal alleles.
    known : bool
        Whether the table has that answer, so that a reader of the variant has to give it where nothing is varied.
    """

    probabilities: NDArray[np.float64]
    truth: NDArray[np.int64]
    groups: NDArray
    unchanged: int
    known: bool

    @property
    def chosen(self) -> NDArray[np.int64]:
        """Return the place of the most likely class of each question."""
        return self.probabilities.argmax(axis=1)

    @property
    def right(self) -> NDArray[np.float64]:
        """Return 1 for each right answer, else 0."""
        return (self.chosen == self.truth).astype(np.float64)


def interval(values: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean of some rows, and the 95 % percentile interval of it over bootstrap draws `[draws, rows]`."""
    if not len(values):
        return np.nan, np.nan, np.nan
    drawn = weights @ values / np.maximum(weights.sum(axis=1), LEAST)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def log_odds(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the natural log odds of the true class of each question."""
    own = np.clip(probabilities[np.arange(len(truth)), truth], LEAST, 1 - LEAST)
    return np.log(own / (1 - own))


def compared(asked: Answers, control: Sequence[NDArray[np.float64]], weights: NDArray) -> dict[str, float]:
    """Return what changes where other alleles stand in place of the own ones; means over draws.

    Parameters
    ----------
    control
        Probabilities of the classes, one array a draw.
    weights
        Bootstrap draws of the questions, `[draws, rows]`.
    """
    draws = [asked._replace(probabilities=one) for one in control]
    right = np.mean([one.right for one in draws], axis=0)
    lost, low, high = interval(asked.right - right, weights)
    same = np.mean([one.chosen == asked.chosen for one in draws], axis=0)
    odds = log_odds(asked.probabilities, asked.truth)
    shift = np.mean([log_odds(one.probabilities, one.truth) for one in draws], axis=0) - odds
    said = np.mean([one.chosen != asked.unchanged for one in draws], axis=0)
    return {
        "draws": len(draws),
        "n": len(right),
        "accuracy": float(right.mean()),
        "says_change": float(said.mean()),
        "unchanged_answers": float(same.mean()),
        "log_odds_change": float(shift.mean()),
        "lost": lost,
        "lost_low": low,
        "lost_high": high,
    }


def staying(asked: Answers, unvaried: NDArray[np.float64], weights: NDArray) -> tuple[float, float]:
    """Return the share of answers other than the unchanged one that stay other where nothing is varied, and its upper bound."""
    said = asked.chosen != asked.unchanged
    if not said.any():
        return np.nan, np.nan
    stays = (unvaried.argmax(axis=1) != asked.unchanged)[said].astype(np.float64)
    share, _, high = interval(stays, weights[:, said])
    return share, high


def verdict(
    asked: Answers, others: Sequence[NDArray], unvaried: NDArray, weights: NDArray, moved: Sequence[NDArray] = ()
) -> Verdict:
    """Return what answers rest on, by lower bounds over groups.

    The DNA is used if accuracy falls with pairs of other questions. The variant is used if it falls with the reference in
    the variant's place too and, where the table knows the answer for equal alleles, most of the other answers do not stay:
    a reference can give an answer away, and then a few answers change with anything that is done to the input. Where the table
    does not know it, that answer was learned from pairs of equal alleles alone: to see whether there is any change is not to
    read it, so accuracy has to fall with a substitution elsewhere (`moved`) too.
    """
    dna = compared(asked, others, weights)
    variant = compared(asked, [unvaried], weights)
    share, high = staying(asked, unvaried, weights)
    other = compared(asked, moved, weights) if len(moved) else None
    reads = variant["lost_low"] > 0 and not (asked.known and high > STAYS)
    reads = reads and (asked.known or other is None or other["lost_low"] > 0)
    name = UNUSED if not dna["lost_low"] > 0 else USED if reads else UNREAD
    spread = [own[key] for own in (dna, variant) for key in ("lost", "lost_low", "lost_high")]
    apart = [other[key] for key in ("lost", "lost_low", "lost_high")] if other else []
    return Verdict(name, *spread, share, high, len(asked.truth), len(set(asked.groups.tolist())), *apart)


def reading(
    answers: Answers, controls: pd.DataFrame, examples: Sequence[str], columns: Sequence[str], draws: int
) -> tuple[pd.DataFrame, Verdict | None]:
    """Return a row a control, the model as it is first, and the verdict; None where the two deciding controls are missing.

    Parameters
    ----------
    controls
        `example`, `control`, `draw`, and the probabilities of the classes in `columns`.
    examples
        Names of the questions, in the order of `answers`.
    """
    weights = group_weights(answers.groups, draws)
    given = {"control": "as_is", "meaning": "as it is", **compared(answers, [answers.probabilities], weights)}
    rows, found = [given], {}
    for control in [name for name in CONTROLS if (controls["control"] == name).any()]:
        own = controls[controls["control"] == control]
        arrays = [
            part.set_index("example").loc[list(examples), list(columns)].to_numpy(np.float64)
            for _, part in own.groupby("draw", sort=True)
        ]
        found[control] = arrays
        rows.append({"control": control, "meaning": CONTROLS[control], **compared(answers, arrays, weights)})
    told = None
    if OTHERS in found and UNVARIED in found:
        told = verdict(answers, found[OTHERS], found[UNVARIED][0], weights, found.get(ELSEWHERE, ()))
    return pd.DataFrame(rows), told
