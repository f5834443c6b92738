"""Pieces of generated sequences beside real ones and controls: one comparison, whoever has drawn them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.dna import gene_calls, kmer_tables, minhash, pictures
from glmflow.dna.exact_matches import Collection, Match
from glmflow.dna.markov import Chain
from glmflow.genome.canonical import as_bases, coded
from glmflow.statistics.context_mixture import ContextMixture

from .control_groups import MARKOV_5, controls
from .further_measures import NOTHING_FURTHER, Further, measure_of
from .group_values import GENERATED, REAL, pooled, values_of
from .judgement import sentences
from .memorisation import memorisation
from .pieces import FEWEST, cut, divided
from .sequence_facts import ORDER, Background, Facts, compared, counts_of
from .shared_words import shared_words
from .told_tables import name_of

log = logging.getLogger(__name__)

PICTURE_K, WALKS, POINTS = 6, 4, 300
WALKED = 8
"""Real pieces that walks are compared with."""
NO_GENES = (
    "Genes were not looked for: pyrodigal is not installed (pip install pyrodigal). Without coding share and codons little is left "
    "that tells a Markov-5 chain from real sequences."
)


class Group(NamedTuple):
    """Pieces of one group as they are compared: facts of each, the bases of its longest match to training, its name."""

    facts: list[Facts]
    longest: list[int]
    names: list[str]


class RealPieces(NamedTuple):
    """Pieces of held-out real sequences: by group (real ones first, then controls), and the reference."""

    groups: Mapping[str, Sequence[str]]
    reference: Sequence[str]


class Pictures(NamedTuple):
    """Chaos games (`group`, `x`, `y`, `times`: of an even composition) and walks (`group`, `walk`, `order`, `x`, `y`)."""

    games: pd.DataFrame
    walks: pd.DataFrame


class Real(NamedTuple):
    """What generated pieces are compared with.

    Attributes
    ----------
    background
        Reference and training sequences.
    groups
        By name, real pieces first, then the controls.
    pictures
        Of real pieces and the Markov-5 chain.
    size
        Bases of a piece.
    reference
        Pieces of the reference.
    """

    background: Background
    groups: Mapping[str, Group]
    pictures: Pictures
    size: int
    reference: Sequence[str] = ()


class Likeness(NamedTuple):
    """Generated pieces beside real ones and controls.

    Attributes
    ----------
    values
        As `values_of` gives them.
    copies
        As `memorisation` gives them, of every generated piece.
    threshold
        99th percentile of the longest matches of real pieces to training, bases.
    pictures
        Of generated and real pieces and the Markov-5 chain.
    findings
        Sentences, the most important first.
    pieces
        Pieces of each group.
    facts
        Of the generated pieces that were compared, by their place among all.
    """

    values: pd.DataFrame
    copies: pd.DataFrame
    threshold: float
    pictures: Pictures
    findings: list[str]
    pieces: dict[str, int]
    facts: Mapping[int, Facts]


def real_pieces(
    source: Sequence[str],
    training: Sequence[str],
    others: Mapping[str, Sequence[str]],
    size: int,
    most: int,
    generator: np.random.Generator,
    most_reference: int | None = None,
) -> RealPieces:
    """Return pieces of held-out real sequences, and of controls as many.

    Parameters
    ----------
    source, training
        Real sequences that were held out, and those that were trained on.
    others
        Sequences of other species, by the name of their control.
    size
        Bases of a piece.
    most
        Pieces of a group at most.
    most_reference
        Pieces of the reference at most; all that are no floor where None.

    Raises
    ------
    InputError
        The real sequences are too few.
    """
    real, reference = divided(cut(source, size), most, generator)
    if most_reference is not None and len(reference) > most_reference:
        reference = [reference[place] for place in generator.permutation(len(reference))[:most_reference]]
    log.info("pieces of %d bases: %d real, %d of the reference", size, len(real), len(reference))
    return RealPieces({REAL: real} | dict(controls(real, training, others, generator)), reference)


def real_side(pieces: RealPieces, training: Sequence[str], size: int, further: Further = NOTHING_FURTHER) -> Real:
    """Return held-out real pieces and controls, as they are compared.

    Parameters
    ----------
    training
        Sequences that were trained on.
    size
        Bases of a piece.
    further
        What a model, motifs or profiles tell of a piece.
    """
    known = pooled([counts_of(piece) for piece in pieces.reference])
    told = further.of_reference(pieces.reference)
    measure = measure_of(told)
    known |= pooled([measure(one) for one in told])
    background = background_of(known, pieces.reference, training, lambda piece: measure(further.tell(piece)))
    groups = {}
    for name, own in pieces.groups.items():
        log.info("%s", name)
        groups[name] = group_of(own, background)
    shown = pictured({name: pieces.groups[name] for name in (REAL, MARKOV_5)})
    return Real(background, groups, shown, size, pieces.reference)


def background_of(
    known: Facts,
    reference: Sequence[str],
    training: Sequence[str],
    further: Callable[[str], Facts] = lambda piece: {},
) -> Background:
    """Return what pieces are compared with, of the pooled facts of the reference, its pieces and the training sequences."""
    words = minhash.hashes(reference), minhash.hashes(training)
    compressor = ContextMixture([coded(as_bases(text)) for text in training])
    known = known | {"words": np.array([len(words[0])], float)}
    walked = tuple(reference[:WALKED])
    return Background(known, Chain(training, ORDER), Collection(training), *words, compressor, walked, further)


def group_of(pieces: Sequence[str], background: Background) -> Group:
    """Return the facts of the pieces of a group."""
    facts, matches = measured(pieces, background)
    return Group(facts, [match.longest for match in matches], list(map(name_of, pieces)))


def measured(pieces: Sequence[str], background: Background) -> tuple[list[Facts], list[Match]]:
    """Return of each piece of a group its facts and its matches to training."""
    found = [compared(piece, background) for piece in pieces]
    words = shared_words(pieces, background.real_kmers)
    facts = [counts | {"shared": rows} for (counts, _), rows in zip(found, words)]
    return facts, [match for _, match in found]


def beside_real(
    records: Sequence[tuple[str, str]], real: Real, draws: int, generator: np.random.Generator, seed: int = 0
) -> Likeness | None:
    """Return generated sequences beside real ones; None where they give fewer than three pieces.

    Parameters
    ----------
    records
        Name and bases of each generated sequence.
    draws, seed
        Bootstrap draws behind each interval, and their seed.
    """
    own = [(name, piece) for name, text in records for piece in cut([text], real.size)]
    floor = real.groups[REAL]
    count = min(len(floor.longest), len(own))
    if count < FEWEST:
        return None
    chosen = sorted(generator.choice(len(own), count, replace=False).tolist())
    pieces = [own[place][1] for place in chosen]
    facts, found = measured(pieces, real.background)
    # As many of each group: what grows with their number would differ for no other reason.
    groups = {GENERATED: facts} | {name: group.facts[:count] for name, group in real.groups.items()}
    values = values_of(groups, real.background.real, draws, seed)
    known = dict(zip(chosen, found))
    matches = [known.get(place) or real.background.training.match(piece) for place, (_, piece) in enumerate(own)]
    copies, threshold = memorisation([name for name, _ in own], matches, floor.longest)
    missing = "" if gene_calls.genes_known() else NO_GENES
    shown = pictured({GENERATED: pieces})
    both = Pictures(*(pd.concat(tables, ignore_index=True) for tables in zip(shown, real.pictures)))
    counts = {name: len(own) for name, own in groups.items()}
    said = sentences(values, copies, threshold, missing)
    return Likeness(values, copies, threshold, both, said, counts, dict(zip(chosen, facts)))


def pictured(groups: Mapping[str, Sequence[str]]) -> Pictures:
    """Return the chaos game of groups of pieces in shares of an even one, and walks of some of their pieces."""
    games, walks = [], []
    for name, pieces in groups.items():
        picture = pictures.chaos_game(kmer_tables.counts(pieces, PICTURE_K))
        times = (picture + 0.5) / (picture.sum() / picture.size + 0.5)
        y, x = np.indices(times.shape)
        games.append(pd.DataFrame({"group": name, "x": x.ravel(), "y": y.ravel(), "times": times.ravel().round(4)}))
        for number, piece in enumerate(pieces[:WALKS]):
            path = pictures.walk(piece)
            path = path[:: max(1, len(path) // POINTS)].round(2)
            own = {"group": name, "walk": number, "order": np.arange(len(path)), "x": path[:, 0], "y": path[:, 1]}
            walks.append(pd.DataFrame(own))
    return Pictures(*(pd.concat(tables, ignore_index=True) for tables in (games, walks)))
