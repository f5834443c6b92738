"""Generated sequences beside real ones and controls: tables, pictures, sentences, all in one folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glmflow.dna import gene_calls, kmer_tables, minhash, pictures
from glmflow.dna.exact_matches import Collection
from glmflow.dna.markov import Chain
from glmflow.files import atomic_path, write_table
from glmflow.genome.canonical import as_bases
from glmflow.models.model_commands import read_fasta

from .control_groups import MARKOV_5, controls
from .group_values import GENERATED, REAL, pooled, values_of
from .judgement import sentences
from .memorisation import memorisation
from .pieces import cut, divided, suited_size
from .sequence_facts import ORDER, Background, Facts, compared, counts_of, shared_within

log = logging.getLogger(__name__)

PICTURE_K, WALKS, POINTS = 6, 4, 300


class ValidationRequest(NamedTuple):
    """What is compared.

    Attributes
    ----------
    generated, source, training
        FASTA files: generated sequences, real ones that were held out of training, and what was trained on.
    others
        FASTA files of other species, by the name of their control.
    piece
        Bases of the pieces that are compared; by default the median generated sequence, or less where there are few.
    most
        Pieces of a group at most.
    draws, seed
        Bootstrap draws; seed of all that is drawn.
    """

    generated: Path
    source: Path
    training: Path
    others: Mapping[str, Path]
    piece: int | None = None
    most: int = 50
    draws: int = 500
    seed: int = 0


def validate(
    request: ValidationRequest, folder: Path, judge: tuple[str, Callable[[str], float]] | None = None
) -> list[str]:
    """Write `validation.tsv`, `memorisation.tsv`, `pictures.json` and `validation.json`; return the findings in sentences.

    Parameters
    ----------
    judge
        Name of a language model of another family, and the bits that a piece costs under it.

    Raises
    ------
    InputError
        A file cannot be read, or the real sequences are too few.
    """
    generator = np.random.default_rng(request.seed)
    records = [(name, _bases(text)) for name, text in read_fasta(request.generated)]
    source, training = _texts(request.source), _texts(request.training)
    size = request.piece or suited_size([len(text) for _, text in records])
    own = [(name, piece) for name, text in records for piece in cut([text], size)]
    real, reference = divided(cut(source, size), min(request.most, len(own)), generator)
    chosen = sorted(generator.choice(len(own), min(len(real), len(own)), replace=False).tolist())
    log.info(
        "pieces of %d bases: %d generated, %d real, %d of the reference", size, len(own), len(real), len(reference)
    )
    background = Background(
        pooled([counts_of(piece) for piece in reference]),
        Chain(training, ORDER),
        Collection(training),
        minhash.hashes(reference),
        minhash.hashes(training),
        judge[1] if judge else None,
    )
    others = {name: _texts(path) for name, path in request.others.items()}
    groups = {GENERATED: [own[place][1] for place in chosen], REAL: real}
    groups |= dict(controls(real, training, others, generator))
    facts: dict[str, list[Facts]] = {}
    matches = {}
    for name, pieces in groups.items():
        log.info("%s", name)
        found = [compared(piece, background) for piece in pieces]
        within = shared_within(pieces)
        facts[name] = [counts | {"shared": rows} for (counts, _), rows in zip(found, within)]
        matches[name] = [match for _, match in found]
    values = values_of(facts, background.real, request.draws, request.seed)
    rest = {place: matches[GENERATED][rank] for rank, place in enumerate(chosen)}
    all_matches = [
        rest[place] if place in rest else background.training.match(piece) for place, (_, piece) in enumerate(own)
    ]
    copies, threshold = memorisation([name for name, _ in own], all_matches, matches[REAL])
    missing = "" if gene_calls.genes_known() else (
        "Genes were not looked for: pyrodigal is not installed (pip install pyrodigal). Without coding share and codons little is "
        "left that tells a Markov-5 chain from real sequences."
    )  # fmt: skip
    said = sentences(values, copies, threshold, missing)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(values, folder / "validation.tsv")
    write_table(copies, folder / "memorisation.tsv")
    _write(folder / "pictures.json", _pictures(groups))
    _write(folder / "validation.json", _record(request, size, groups, threshold, said, judge))
    return said


def _record(request, size: int, groups, threshold: float, said: list[str], judge) -> dict[str, Any]:
    files = {name: str(getattr(request, name)) for name in ("generated", "source", "training")}
    return {
        "findings": said,
        "files": files | {"others": {name: str(path) for name, path in request.others.items()}},
        "piece": size,
        "pieces": {name: len(pieces) for name, pieces in groups.items()},
        "draws": request.draws,
        "seed": request.seed,
        "held_out_99th_percentile": threshold,
        "judge": judge[0] if judge else None,
        "genes": gene_calls.genes_known(),
    }


def _pictures(groups: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the chaos game of three groups in shares of an even one, and walks of some of their pieces."""
    games, walks = {}, []
    for name in (GENERATED, REAL, MARKOV_5):
        table = kmer_tables.counts(groups[name], PICTURE_K)
        picture = pictures.chaos_game(table)
        games[name] = np.round((picture + 0.5) / (picture.sum() / picture.size + 0.5), 4).tolist()
        for number, piece in enumerate(groups[name][:WALKS]):
            path = pictures.walk(piece)
            step = max(1, len(path) // POINTS)
            walks += [
                {"group": name, "walk": number, "order": order, "x": round(x, 2), "y": round(y, 2)}
                for order, (x, y) in enumerate(path[::step].tolist())
            ]
    return {"k": PICTURE_K, "chaos_game": games, "walks": walks}


def _texts(path: Path) -> list[str]:
    return [_bases(text) for _, text in read_fasta(path)]


def _bases(text: str) -> str:
    return as_bases(text).tobytes().decode("ascii")


def _write(path: Path, data: Any) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(data) + "\n")
