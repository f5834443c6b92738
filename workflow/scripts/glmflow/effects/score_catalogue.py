"""The scores of a variant: what each compares, which models have it, and which are taken by default.

All are differences of natural logarithms (nats), alternative less reference allele, or distances of hidden states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from glmflow.errors import InputError
from glmflow.genome.reasons import Reason

from .likelihood_model import LikelihoodModel

Change = Literal["snv", "equal", "any"]
ALL = ("base", "kmer", "bpe")
STRANDS = ("fwd", "rev")


@dataclass(frozen=True)
class Score:
    """What a score is.

    Parameters
    ----------
    words
        What it compares.
    objective
        The models that have it: `masked`, `causal` or both.
    kinds
        The tokens it is defined for.
    change
        The edits it is defined for: one base (`snv`), as many bases as before (`equal`), `any`.
    both_read
        It reads both windows whole, rather than tokens masked in one.
    cost
        Passes of an allele on one strand, in words.
    """

    words: str
    objective: tuple[str, ...]
    kinds: tuple[str, ...] = ALL
    change: Change = "any"
    both_read: bool = True
    cost: str = "2"


MASKED, CAUSAL, BOTH = ("masked",), ("causal",), ("masked", "causal")

SCORES: dict[str, Score] = {
    "llr": Score(
        "log p(alternative tokens) - log p(reference tokens), those that differ masked in the reference window",
        MASKED, change="equal", both_read=False, cost="1 a site",
    ),
    "llr_marginal": Score(
        "as llr, of the alternative and reference bases alone, summed over all k-mers that hold them",
        MASKED, ("base", "kmer"), "equal", both_read=False, cost="1 a site",
    ),
    "next": Score(
        "log p(alternative base) - log p(reference base), from what lies to the left alone",
        CAUSAL, ("base", "kmer"), "snv", cost="1 a site",
    ),
    "pll": Score(
        "pseudo-log-likelihood of the alternative less that of the reference window", MASKED, both_read=False,
        cost="2 a token of the window",
    ),
    "ll": Score("log-likelihood of the alternative less that of the reference window", CAUSAL),
    "ll_allele": Score("the part of ll that the bases of the alleles have", CAUSAL, ("base",)),
    "ll_flank": Score("the part of ll that the shared bases behind the edit have: free of its length", CAUSAL, ("base",)),
    "flank": Score(
        "mean change of log p of the 5 nearest shared bases on each side, nothing masked: free of the edit's length",
        MASKED, ("base",),
    ),
    "influence": Score(
        "mean over the other positions of the largest change of log-odds of a base", MASKED, ("base",), "equal"
    ),
    "l1_mean": Score("L1 distance of the mean states of the two windows", BOTH),
    "l2_mean": Score("L2 distance of the mean states of the two windows", BOTH),
    "cosine_mean": Score("1 - cosine of the mean states of the two windows", BOTH),
    "l2_flat": Score("L2 distance of all states of the two windows", BOTH, change="equal"),
    "l2_site": Score("L2 distance of the states of the changed bases", BOTH, change="equal"),
}  # fmt: skip

SIGNED = ("llr", "llr_marginal", "next", "pll", "ll", "ll_allele", "ll_flank", "flank")
"""Scores below 0 where the model likes the alternative allele less; the others are distances, 0 or above."""

_DEFAULTS = {
    ("masked", "base"): (("llr",), ("flank",)),
    ("masked", "kmer"): (("llr",), ("pll",)),
    ("masked", "bpe"): (("llr", "l2_mean"), ("pll", "l2_mean")),
    ("causal", "base"): (("ll",), ("ll_flank", "ll")),
    ("causal", "kmer"): (("ll",), ("ll",)),
    ("causal", "bpe"): (("ll",), ("ll",)),
}
"""Scores of edits that keep the length, and of insertions and deletions, by objective and tokens."""


@dataclass(frozen=True)
class Asked:
    """The scores that one model computes: `equal` for edits that keep the length, `changed` for the others."""

    equal: tuple[str, ...]
    changed: tuple[str, ...]
    missing: Reason = Reason.NONE

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.equal, *self.changed)))


def why_not(name: str, model: LikelihoodModel) -> tuple[Reason, str] | None:
    """Return why a model lacks a score: the reason of its alleles, and in words; None where it has it."""
    score, objective = SCORES[name], model.adapter.card.objective
    if objective not in score.objective:
        reason = Reason.NOT_MASKED if "masked" in score.objective else Reason.NOT_CAUSAL
        return reason, f"it needs a {score.objective[0]} model, {model.adapter.card.family} is {objective}"
    if model.kind not in score.kinds:
        kind = {"base": "single bases", "kmer": f"{model.k}-mers", "bpe": "byte-pair pieces"}[model.kind]
        needs = " or ".join({"base": "single bases", "kmer": "k-mers"}[one] for one in score.kinds)
        return Reason.RETOKENISED, f"it needs tokens of {needs}, those of {model.adapter.card.family} are {kind}"
    return None


def asked(model: LikelihoodModel, names: Sequence[str] | None, alone: bool = True) -> Asked:
    """Return the scores that a model computes.

    Parameters
    ----------
    names
        As asked for; None: the model's defaults.
    alone
        The only model of a run: then a score that it lacks is an error, else it is left out.

    Raises
    ------
    InputError
        There is no such score, or the only model lacks it.
    """
    if names is None:
        return Asked(*_DEFAULTS[model.adapter.card.objective, model.kind])
    names = [name.strip() for name in names]
    for name in names:
        if name not in SCORES:
            raise InputError(f"no score {name}", where="--score", fix=f"There are {', '.join(SCORES)}.")
    reasons = {name: why_not(name, model) for name in names}
    had = [name for name in dict.fromkeys(names) if reasons[name] is None]
    if len(had) < len(reasons) and (alone or not had):
        name, (reason, words) = next((name, why) for name, why in reasons.items() if why is not None)
        if alone:
            others = [other for other in SCORES if why_not(other, model) is None]
            fix = f"Of this model there are {', '.join(others)}."
            raise InputError(f"{model.name} has no {name}: {words}", where="--score", fix=fix)
        return Asked((), (), reason)
    any_length = [name for name in had if SCORES[name].change == "any"]
    return Asked(tuple(had), tuple(any_length))
