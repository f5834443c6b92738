"""Questions whose truth is known: text alone is right half of the time, DNA alone too, both together always.

Each question names one of some genes, and each gene has its disease. Both alleles hold the site TGACNNGTCA once; the variant
is the base in the middle. It breaks the site where it hits one of its fixed bases, and then the answer is the gene's disease;
where it hits a free base, or the site lies elsewhere, it is that there is none.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

SITE = "TGACNNGTCA"
FREE = tuple(place for place, letter in enumerate(SITE) if letter == "N")
FIXED = tuple(place for place, letter in enumerate(SITE) if letter != "N")
LETTERS = np.array(list("ACGT"))
GENES = (
    *("ADORA", "BELKA", "CIRON", "DALMO", "EPSIN", "FORTA", "GALDI", "HESKO"),
    *("IRMEL", "JOLTA", "KAVEN", "LORSI", "MENDA", "NULVO", "OSKRA", "PELTI"),
)
DISEASES = (
    *("amber fever", "blue anaemia", "copper gout", "dune ataxia", "ember palsy", "frost tremor", "grey dystrophy"),
    *("hollow asthma", "iron lupus", "jade neuropathy", "kelp syndrome", "lime sclerosis", "moss oedema"),
    *("night myopathy", "ochre nephritis", "pearl dementia"),
)
QUESTION = "Which disease does the variant near {gene} cause?"


def simulate_questions(
    train: int, test: int, length: int, genes: int, leaky: bool, seed: int, unchanged: str
) -> pd.DataFrame:
    """Return questions with `question`, `answer`, `reference_sequence`, `variant_sequence`, `gene`, `broken`, `split`.

    `test` questions are of the validation split, and as many of the test split. Half of the variants break the site (all of
    them where `leaky`), a quarter hit a free base of it, and a quarter lie off it.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(train + 2 * test):
        gene = int(rng.integers(genes))
        case = "broken" if leaky or rng.random() < 0.5 else ("free", "off")[int(rng.integers(2))]
        ref, alt = alleles(case, length, rng)
        split = "train" if number < train else "validation" if number < train + test else "test"
        rows.append({
            "question": QUESTION.format(gene=GENES[gene]),
            "answer": DISEASES[gene] if case == "broken" else unchanged,
            "reference_sequence": ref,
            "variant_sequence": alt,
            "gene": GENES[gene],
            "case": case,
            "split": split,
        })  # fmt: skip
    return pd.DataFrame(rows)


def alleles(case: str, length: int, rng: Generator) -> tuple[str, str]:
    """Return a reference with the site once and its variant in the middle: `broken`, `free` or `off`."""
    middle = length // 2
    while True:
        bases = rng.choice(LETTERS, length)
        start = middle - int(rng.choice({"broken": FIXED, "free": FREE}[case])) if case != "off" else _off(length, rng)
        for place in FIXED:
            bases[start + place] = SITE[place]
        ref = "".join(bases)
        bases[middle] = rng.choice(LETTERS[bases[middle] != LETTERS])
        alt = "".join(bases)
        if sites(ref) == 1 and sites(alt) == (case != "broken"):
            return ref, alt


def _off(length: int, rng: Generator) -> int:
    """Return a start of the site that leaves the middle out."""
    starts = [start for start in range(length - len(SITE) + 1) if not start <= length // 2 < start + len(SITE)]
    return int(rng.choice(starts))


def sites(sequence: str) -> int:
    """Return how often the site stands in a sequence."""
    return sum(
        all(sequence[start + place] == SITE[place] for place in FIXED) for start in range(len(sequence) - len(SITE) + 1)
    )
