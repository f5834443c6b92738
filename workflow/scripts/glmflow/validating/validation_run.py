"""Generated sequences beside real ones and controls: tables, pictures, sentences, all in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glmflow.dna import gene_calls
from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.genome.canonical import as_bases
from glmflow.likeness.along_length import along_length, whole_sequences
from glmflow.likeness.compared_groups import Likeness, beside_real, real_pieces, real_side
from glmflow.likeness.further_measures import NOTHING_FURTHER, Further
from glmflow.likeness.pieces import FEWEST, LEAST, MOST_N, cut, suited_size
from glmflow.models.model_commands import read_fasta


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
    request: ValidationRequest,
    folder: Path,
    further: Further = NOTHING_FURTHER,
    named: Mapping[str, str] | None = None,
) -> list[str]:
    """Write `validation.tsv`, `memorisation.tsv`, `along.tsv`, `games.tsv`, `walks.tsv` and `validation.json`; return the findings
    in sentences.

    Parameters
    ----------
    further, named
        What models, motifs and profiles tell of a piece, and the names of these, by its fields.

    Raises
    ------
    InputError
        A file cannot be read, or the real sequences are too few.
    """
    generator = np.random.default_rng(request.seed)
    records = [(name, _bases(text)) for name, text in read_fasta(request.generated) if text]
    source, training = _texts(request.source), _texts(request.training)
    size = request.piece or (suited_size([len(text) for _, text in records]) if records else 0)
    pieces = len(cut([text for _, text in records], size)) if size >= LEAST else 0
    if pieces < FEWEST:
        what = f"{len(records)} generated sequences give {pieces} pieces of {max(size, LEAST)} bases with at most {MOST_N:.0%} of N"
        raise InputError(f"{what}; {FEWEST} are needed", where=request.generated, fix="Give more or longer ones.")
    most = min(request.most, pieces)
    others = {name: _texts(path) for name, path in request.others.items()}
    real = real_side(real_pieces(source, training, others, size, most, generator), training, size, further)
    found = beside_real(records, real, request.draws, generator, request.seed)
    assert found is not None
    folder.mkdir(parents=True, exist_ok=True)
    write_table(found.values, folder / "validation.tsv")
    write_table(found.copies, folder / "memorisation.tsv")
    along = whole_sequences([text for _, text in records], source, request.most, request.seed)
    write_table(along_length(along), folder / "along.tsv")
    write_table(found.pictures.games, folder / "games.tsv")
    write_table(found.pictures.walks, folder / "walks.tsv")
    with atomic_path(folder / "validation.json") as temporary:
        temporary.write_text(json.dumps(_record(request, size, found, named or {})) + "\n")
    return found.findings


def _record(request: ValidationRequest, size: int, found: Likeness, named: Mapping[str, str]) -> dict[str, Any]:
    files = {name: str(getattr(request, name)) for name in ("generated", "source", "training")}
    return {
        "findings": found.findings,
        "files": files | {"others": {name: str(path) for name, path in request.others.items()}},
        "piece": size,
        "pieces": found.pieces,
        "draws": request.draws,
        "seed": request.seed,
        "held_out_99th_percentile": found.threshold,
        "further": dict(named),
        "genes": gene_calls.genes_known(),
    }


def _texts(path: Path) -> list[str]:
    found = [_bases(text) for _, text in read_fasta(path) if text]
    if not found:
        raise InputError("its sequences have no base", where=path, fix="Give a FASTA file with sequences.")
    return found


def _bases(text: str) -> str:
    return as_bases(text).tobytes().decode("ascii")
