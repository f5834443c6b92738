"""States of sequences or regions, written part by part: a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.genome.packed import LETTERS, fetch
from glmflow.genome.reference import Reference
from glmflow.labelled.framing import place_on_genome
from glmflow.labelled.rows import bed_rows
from glmflow.models.adapter import Adapter
from glmflow.models.chunking import room
from glmflow.models.layer_states import pooled_states, token_counts
from glmflow.models.tokenizers import clean
from glmflow.training.parts import Parts

log = logging.getLogger(__name__)

PART = 512
"""Sequences between two times that states are kept: what a run that is stopped loses at most."""
BASES = 1 << 18
"""Bases of a part, of sequences that are longer than usual."""
FORMATS = (".parquet", ".npy", ".h5")


class Request(NamedTuple):
    """What is to be embedded, and how.

    Attributes
    ----------
    fasta, bed : Path
        Sequences; or regions of the genome in `fasta`.
    pool
        One of `layer_states.POOLS`.
    layer
        Layer from 1, -1 the last; None for the model's own states.
    both_strands
        Mean of the states of both strands.
    batch
        Sequences at a time.
    half
        Keep numbers of 16 bits.
    """

    fasta: Path
    bed: Path | None
    pool: str
    layer: int | None
    both_strands: bool = False
    batch: int = 8
    half: bool = False


def embed(model: Adapter, request: Request, output: Path, identity: Any = None) -> dict[str, int]:
    """Write the states of all sequences and return counts: `sequences`, `chunked` (longer than the context), `width`.

    `NAME.parquet`: a row a sequence, `sequence`, `chrom`, `start`, `end`, `strand` (regions), `length_bp`, `state_0` ...;
    `NAME.npy`: the states alone, `[n, D]`, in the order of `NAME.names.tsv`; `NAME.h5`: `names`, and `states` `[n, D]`, or
    one data set a sequence of `--pool none`.

    Parameters
    ----------
    identity
        What the model is (see `model_identity`): parts of another one are not used.

    Raises
    ------
    InputError
        The output has another ending, or a sequence cannot be read by the model.
    """
    if output.suffix not in FORMATS:
        raise InputError("no known ending", where=output, fix=f"Name it NAME{', NAME'.join(FORMATS)}.")
    if request.pool == "none" and output.suffix != ".h5":
        what = "states of every base are of several lengths"
        raise InputError(what, where=output, fix="Write NAME.h5, or take --pool mean.")
    names = names_of(request)
    facts = [str(request.fasta.resolve()), *_stamp(request.fasta)]
    facts += [str(request.bed.resolve()), *_stamp(request.bed)] if request.bed else []
    described = {"model": identity, "files": facts, **request._replace(fasta=None, bed=None)._asdict()}  # type: ignore[arg-type]
    parts = Parts(output.with_name(f".{output.name}.parts"), described)
    started, done, chunked, fresh = time.monotonic(), 0, 0, 0
    fits = room(model)
    stored: list[Path] = []
    width = 0
    lengths: list[NDArray[np.int64]] = []
    for number, sequences in enumerate(read_parts(request)):
        known = (parts.folder / f"{number}.npy").is_file()
        before = time.monotonic()
        width = parts.array(number, lambda own=sequences: states_of(model, own, request)).shape[-1]
        stored.append(parts.folder / f"{number}.npy")
        size = np.array([len(sequence) for sequence in sequences])
        lengths.append(size)
        if fits is not None and (model.card.bases_per_token * fits < size).any():
            chunked += sum(tokens > fits for tokens in token_counts(model, sequences))
        done += len(sequences)
        fresh += 0 if known else len(sequences)
        started += time.monotonic() - before if known else 0  # what was kept says nothing of the speed
        left = (time.monotonic() - started) / max(fresh, 1) * (len(names) - done)
        log.info("%d of %d sequences, about %.1f minutes left", done, len(names), left / 60)
    names["length_bp"] = np.concatenate(lengths)
    if chunked:
        log.info("%d sequences are longer than the context and were read in overlapping chunks", chunked)
    write(names, stored, request, output)
    parts.remove()
    return {"sequences": done, "chunked": chunked, "width": int(width)}


def names_of(request: Request) -> pd.DataFrame:
    """Return a row a sequence: `sequence` (its name), and of regions `chrom`, `start`, `end`, `strand`.

    Raises
    ------
    InputError
        There is none, a letter of it is no nucleotide code, or a region lies outside the genome.
    """
    if request.bed is not None:
        return named_regions(request.fasta, request.bed)
    if not request.fasta.is_file():
        raise InputError("no such file", where=request.fasta, fix="Give a FASTA file.")
    names = []
    with pysam.FastxFile(str(request.fasta)) as file:
        for record in file:  # before anything is computed: the mistake may be the last record's
            require_nucleotides(record.name, record.sequence or "", request.fasta)
            names.append(record.name)
    if not names:
        raise InputError("no sequence in it", where=request.fasta, fix="Give a FASTA file.")
    return pd.DataFrame({"sequence": names})


def named_regions(fasta: Path, bed: Path) -> pd.DataFrame:
    """Return regions of a genome: `sequence` (their name), `chrom`, `start`, `end`, `strand`.

    Raises
    ------
    InputError
        A region lies outside the genome.
    """
    rows, _ = bed_rows(bed)
    rows = place_on_genome(rows, Reference(fasta).contigs, str(bed))
    place = rows["chrom"] + ":" + rows["start"].astype(str) + "-" + rows["end"].astype(str)
    rows.insert(0, "sequence", place.where(rows["strand"] == "+", place + "(-)"))
    return rows[["sequence", "chrom", "start", "end", "strand"]]


def require_nucleotides(name: str, sequence: str, where: Path) -> None:
    """Stop at a record without bases, or with a character that is no nucleotide code.

    Raises
    ------
    InputError
        The file, record and position are named.
    """
    if not sequence:
        raise InputError(f"record {name} is empty", where=where, fix="Leave it out.")
    codes = np.frombuffer(sequence.encode(), np.uint8)
    known = LETTERS[codes]
    if not known.all():
        place = int(np.argmin(known))
        what = f"record {name}: {sequence[place]!r} at base {place + 1} is no nucleotide code"
        raise InputError(what, where=where, fix="Write A, C, G, T (or U), N and IUPAC codes alone.")


def read_parts(request: Request) -> Iterator[list[NDArray[np.uint8]]]:
    """Yield the sequences some at a time, in their order; at most a part of them is held."""
    held: list[NDArray[np.uint8]] = []
    bases = 0
    for sequence in _sequences(request):
        held.append(sequence)
        bases += len(sequence)
        if len(held) >= PART or bases >= BASES:
            yield held
            held, bases = [], 0
    if held:
        yield held


def _sequences(request: Request) -> Iterator[NDArray[np.uint8]]:
    if request.bed is None:
        with pysam.FastxFile(str(request.fasta)) as file:
            for record in file:
                yield np.frombuffer(record.sequence.encode(), np.uint8)
        return
    genome, rows = Reference(request.fasta), names_of(request)
    for start in range(0, len(rows), PART):
        yield from fetch(genome, rows.iloc[start : start + PART]).each()


def states_of(model: Adapter, sequences: list[NDArray[np.uint8]], request: Request) -> NDArray:
    """Return the pooled states of sequences, `[n, D]` (`[bases, D]` of all of them, one after the other, of `none`).

    Sequences of similar length share a batch; where a family cannot pad, those of one number of tokens.
    """
    tokens = token_counts(model, sequences)
    order = sorted(range(len(sequences)), key=lambda row: (tokens[row], row))
    found: list[Any] = [None] * len(sequences)
    start = 0
    while start < len(order):
        stop = start + 1
        while (
            stop < len(order) and stop - start < request.batch and _together(model, tokens, order[start], order[stop])
        ):
            stop += 1
        rows = order[start:stop]
        own = [sequences[row] for row in rows]
        states = pooled_states(model, own, request.pool, request.layer)
        if request.both_strands:
            turned = pooled_states(model, [_other(sequence) for sequence in own], request.pool, request.layer)
            flip = request.pool == "none"
            states = [(one + (two.flip(0) if flip else two)) / 2 for one, two in zip(states, turned)]
        for row, state in zip(rows, states):
            found[row] = state.numpy()
            if not np.isfinite(found[row]).all():
                what = f"a state is no number when it is computed in {str(model.dtype).removeprefix('torch.')}"
                raise InputError(what, where=request.fasta, fix="Say --dtype bf16 or --dtype float32.")
            if request.half:
                found[row] = _halved(found[row], request.fasta)
        start = stop
    return np.concatenate(found) if request.pool == "none" else np.stack(found)


def _halved(state: NDArray, where: Path) -> NDArray[np.float16]:
    """Return a state as numbers of 16 bits, which hold nothing above 65,504."""
    largest = float(np.abs(state).max())
    if largest > float(np.finfo(np.float16).max):
        what = f"a state of {largest:.3g} is more than a number of 16 bits holds"
        raise InputError(what, where=where, fix="Leave --half out.")
    return state.astype(np.float16)


def _together(model: Adapter, tokens: list[int], first: int, other: int) -> bool:
    """Whether two sequences may share a batch."""
    fits = room(model)
    if model.card.padding:
        return fits is None or tokens[other] <= fits
    return tokens[first] == tokens[other]


def _other(sequence: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return reverse_complement(clean(sequence))


def write(names: pd.DataFrame, stored: list[Path], request: Request, output: Path) -> None:
    """Write names and states in the format that the ending of the output says, whole or not at all.

    Parameters
    ----------
    stored
        Parts of the states; one at a time is held.
    """
    parts = (np.load(path) for path in stored)
    with atomic_path(output) as temporary:
        if output.suffix == ".npy":
            _write_npy(len(names), parts, temporary)
        elif output.suffix == ".h5":
            _write_h5(names, parts, request, temporary)
        else:
            _write_parquet(names, parts, temporary)
    if output.suffix == ".npy":
        write_table(names, output.with_name(f"{output.stem}.names.tsv"))


def _write_npy(count: int, parts: Iterator[NDArray], path: Path) -> None:
    table, row = None, 0
    for part in parts:
        if table is None:
            table = np.lib.format.open_memmap(path, "w+", part.dtype, (count, part.shape[1]))
        table[row : row + len(part)] = part
        row += len(part)


def _write_parquet(names: pd.DataFrame, parts: Iterator[NDArray], path: Path) -> None:
    writer, row = None, 0
    for part in parts:
        table = pa.Table.from_pandas(names.iloc[row : row + len(part)], preserve_index=False)
        for place in range(part.shape[1]):
            table = table.append_column(f"state_{place}", pa.array(part[:, place]))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        row += len(part)
    if writer is not None:
        writer.close()


def _write_h5(names: pd.DataFrame, parts: Iterator[NDArray], request: Request, path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["names"] = names["sequence"].to_numpy(dtype="S")
        for column in ("start", "end", "length_bp"):
            if column in names:
                file[column] = names[column].to_numpy(np.int64)
        file.attrs.update(pool=request.pool, layer="last" if request.layer is None else request.layer)
        group = file.create_group("states") if request.pool == "none" else None
        row = 0
        for part in parts:
            if group is None:
                if not row:
                    file.create_dataset("states", (len(names), part.shape[1]), part.dtype)
                file["states"][row : row + len(part)] = part
                row += len(part)
                continue
            taken = 0
            while taken < len(part):
                length = int(names["length_bp"].iloc[row])
                group[str(row)] = part[taken : taken + length]
                taken, row = taken + length, row + 1


def model_identity(folder: Path) -> list[Any]:
    """Return what tells one model folder from another: names, sizes and times of its files."""
    if not folder.is_dir():
        return [str(folder)]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256("".join(f"{path.name} {_stamp(path)}" for path in files).encode())
    return [str(folder.resolve()), digest.hexdigest()[:16]]


def _stamp(path: Path) -> list[int]:
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.exists() else []
