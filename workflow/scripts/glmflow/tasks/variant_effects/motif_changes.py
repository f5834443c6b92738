"""Alleles whose effect is known: changes of the motifs that a simulation has planted, beside changes of other places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.tasks.tables import examples_table

from .effect_examples import EffectExamples, completed

LETTERS = {"A": "A", "C": "C", "G": "G", "T": "T", "M": "AC", "R": "AG", "W": "AT", "S": "CG", "Y": "CT", "K": "GT"}
"""Bases that an IUPAC letter of a motif allows."""
OPPOSITE = str.maketrans("ACGT", "TGCA")
MARGIN = 64
"""Bases that changes keep from the ends of contigs."""
LONGEST = 8
"""Most bases of an indel."""
REACH = 24
"""Bases that a motif and an indel in it cover at most."""
TRIES = 2000


def motif_changes(sites: pd.DataFrame, motifs: pd.DataFrame, genome: Reference, truth) -> EffectExamples:
    """Return changes that break a planted motif (1), and the same changes outside of all motifs (0).

    Each broken site is a match group with its controls: the same base becomes the same base (an indel: as long), on the
    same contig, so that neither composition nor kind of change tells them apart. `target_bits` is what the change does to
    the motif's score, log2 of the probabilities of its positions (those of the simulation: .02 for a base that is not
    wanted).

    Parameters
    ----------
    sites
        Sites (`chrom`, `start`, `end`, `strand`, `motif`), 0-based half-open.
    motifs
        `motif`, `consensus` in IUPAC letters.
    truth
        Settings: `contigs`, `sites`, `controls`, `indels`, `shifted`, `seed`.
    """
    generator = np.random.default_rng(truth.seed)
    consensus = dict(zip(motifs["motif"], motifs["consensus"]))
    own = sites[sites["chrom"].isin(truth.contigs)].drop_duplicates(["chrom", "start", "end"]).reset_index(drop=True)
    sequence = {name: genome.fetch(name, 0, genome.contigs[name]) for name in truth.contigs}
    taken = {name: _covered(own[own["chrom"] == name], len(codes)) for name, codes in sequence.items()}
    order = generator.permutation(len(own))
    if truth.shifted:
        own = own.assign(start=[_anywhere(taken[chrom], generator) for chrom in own["chrom"]])
    rows, left_out = [], Counter()
    for place in order:
        if len({row["match_group"] for row in rows}) == truth.sites:
            break
        site = own.iloc[place]
        wanted = oriented_letters(consensus[site["motif"]], site["strand"])
        indel = generator.random() < truth.indels
        change = (_indel if indel else _substitution)(sequence[site["chrom"]], int(site["start"]), wanted, generator)
        if change is None:
            left_out["site not as its motif says"] += 1
            continue
        controls = [
            _elsewhere(sequence[site["chrom"]], taken[site["chrom"]], change, generator) for _ in range(truth.controls)
        ]
        if any(one is None for one in controls):
            left_out["no place for its controls"] += 1
            continue
        shared = {"chrom": site["chrom"], "consequence": site["motif"], "match_group": f"site{len(rows)}"}
        rows.append(shared | change | {"target": 1.0})
        rows += [shared | one | {"target": 0.0, "target_bits": 0.0} for one in controls]
    if not rows:
        raise InputError(
            f"no motif lies on {', '.join(truth.contigs)}",
            where="truth.contigs",
            fix="Name contigs with genes: motifs are planted in their promoters.",
        )
    return EffectExamples(examples_table(completed(pd.DataFrame(rows))), +left_out)


def oriented_letters(consensus: str, strand: str) -> list[str]:
    """Return the bases that each position of a site allows on the forward strand."""
    letters = [LETTERS[letter] for letter in consensus]
    return letters if strand == "+" else [letter.translate(OPPOSITE) for letter in reversed(letters)]


def _substitution(codes: NDArray[np.uint8], start: int, wanted: list[str], generator: Generator) -> Mapping | None:
    """Return a change of one wanted base of a site into one that is not; None where the site holds none."""
    here = [chr(code) for code in codes[start : start + len(wanted)]]
    fits = [place for place, base in enumerate(here) if base in "ACGT"]
    if not fits:
        return None
    place = int(generator.choice(fits))
    others = [base for base in "ACGT" if base not in wanted[place] and base != here[place]]
    alt = str(generator.choice(others))
    bits = float(np.log2(0.02 / _probability(here[place], wanted[place])))
    return {"start": start + place, "ref": here[place], "alt": alt, "target_bits": bits}


def _probability(base: str, allowed: str) -> float:
    """Return the probability of a base at a position of a motif, as the simulation has it."""
    return (1 - 0.02 * (4 - len(allowed))) / len(allowed) if base in allowed else 0.02


def _indel(codes: NDArray[np.uint8], start: int, wanted: list[str], generator: Generator) -> Mapping:
    """Return an insertion or deletion inside a site, as a VCF writes it: the base before it is the anchor."""
    middle = start + 1 + int(generator.integers(len(wanted) - 2))
    length = 1 + int(generator.integers(LONGEST))
    before = codes[middle - 1 : middle + length].tobytes().decode()
    if generator.random() < 0.5:
        return {"start": middle - 1, "ref": before, "alt": before[0], "target_bits": np.nan}
    inserted = "".join(generator.choice(list("ACGT"), length))
    return {"start": middle - 1, "ref": before[0], "alt": before[0] + inserted, "target_bits": np.nan}


def _elsewhere(
    codes: NDArray[np.uint8], taken: NDArray[np.bool_], change: Mapping, generator: Generator
) -> Mapping | None:
    """Return the same change at a place without motifs; None where none is found."""
    width = len(change["ref"])
    for place in generator.integers(MARGIN, len(codes) - MARGIN - width, TRIES).tolist():
        here = codes[place : place + width].tobytes().decode()
        if taken[place : place + width].any() or "N" in here:
            continue
        if width == len(change["alt"]) == 1 and here == change["ref"]:
            return {"start": place, "ref": here, "alt": change["alt"]}
        if width > 1:
            return {"start": place, "ref": here, "alt": here[0]}
        if len(change["alt"]) > 1:
            return {"start": place, "ref": here, "alt": here + change["alt"][1:]}
    return None


def _covered(sites: pd.DataFrame, length: int) -> NDArray[np.bool_]:
    """Return which bases of a contig lie in a motif."""
    found = np.zeros(length, bool)
    for start, end in zip(sites["start"], sites["end"]):
        found[start:end] = True
    return found


def _anywhere(taken: NDArray[np.bool_], generator: Generator) -> int:
    """Return a random place of a contig that is far from motifs: a place in one would leave something to be found."""
    places = generator.integers(MARGIN, len(taken) - MARGIN, TRIES).tolist()
    return next((place for place in places if not taken[place - LONGEST : place + REACH].any()), places[0])
