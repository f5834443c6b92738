"""A corpus from its files: read, cut, copies left out, grouped, divided, audited, written."""

from __future__ import annotations

import glob
import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.corpus_blocks import CorpusBlock, CorpusSplit, Source
from glmflow.dna.exact_matches import WIDTH, Collection
from glmflow.errors import InputError
from glmflow.files import write_table

from .annotated_genes import gene_parts
from .corpus_copies import copies_left_out
from .corpus_divided import assign, at_positions, clusters
from .corpus_store import Exclusions, write_corpus, write_record
from .corpus_windows import sampling_weights
from .eukaryotic_viruses import virus_of_eukaryotes
from .genbank_features import read_features
from .record_cleaning import cut, masked_anew
from .sequence_records import UNKNOWN, Record, form_of, letters, read_records

log = logging.getLogger(__name__)
VIRAL = ("PHG", "VRL")
"""Divisions of GenBank that hold viruses."""
REFUSED = "refused"
"""Folder with the audit of a corpus that was refused: no output of a job, since outputs of a failed job are deleted."""
BINS = ((-0.1, 0.0, "none"), (0.0, 0.05, "up to 5 %"), (0.05, 1.0, "above 5 %"))
"""Shares of a held-out sequence that lie in exact matches of 32 bases or more to training sequences."""


def build(settings: Mapping[str, Any], folder: Path) -> pd.DataFrame:
    """Build a corpus and write it into a folder; returns the table of its sequences.

    Beside the corpus it writes `counts.tsv` (what was left out, bases by division and split), `audit.tsv` (of each split the
    share of bases in matches to training), `copies.tsv` (what was left out as a copy, and of what), `viruses.tsv` (what was
    taken for a virus of eukaryotes, and why) and `corpus.json` (whether any was kept).

    Raises
    ------
    InputError
        A file is missing or broken, nothing is left, or held-out sequences share more with training than `max_shared`.
    """
    block = CorpusBlock.model_validate(settings)
    left_out: Counter[str] = Counter()
    records, divisions, viruses, unjudged = [], {}, [], 0
    names: set[str] = set()
    reason = block.keep_eukaryotic_viruses
    if reason:
        log.warning("viruses of eukaryotes are kept: %s", reason)
    for record, division in _sources(block, left_out):
        parts = list(cut(replace(record, name=own_name(record, names)), block.min_length, block.max_n))
        left_out["bases in runs of N and in short or unknown parts"] += len(record.codes) - sum(
            len(part.codes) for part in parts
        )
        if excluded(record, block.exclude):
            left_out[f"sequences excluded ({record.species or record.name})"] += 1
            continue
        unjudged += not (record.title or record.lineage or record.species)
        if why := suspected(record, division):
            viruses.append((record.name, record.title or record.species, why, "kept" if reason else "left out"))
            if not reason:
                left_out["viruses of eukaryotes"] += 1
                continue
        records += parts
        divisions |= {part.name: division for part in parts}
    kept, copies = copies_left_out(records, block.near_copies)
    left_out["copies of other sequences"] += int((copies["kind"] == "exact").sum())
    left_out["near copies of other sequences"] += int((copies["kind"] == "near").sum())
    if not kept:
        fix = "See min_length, max_n, exclude and keep_eukaryotic_viruses."
        raise InputError("no sequence is left", where="corpora.*.sources", fix=fix)
    of_cluster = clusters([record for record, _ in kept], block.split.identity)
    rows, sequences = [], []
    for (record, digest), cluster in zip(kept, of_cluster.tolist()):
        split = block.split
        parts = at_positions(record, split.validation, split.test) if split.by == "position" else [("train", record)]
        for name, part in parts:
            rows.append(_row(part, divisions[record.name], digest, cluster, name))
            sequences.append(part.codes if block.keep_softmask else part.codes & 7)
    table = pd.DataFrame(rows)
    if block.split.by != "position":
        split = block.split
        table["split"] = assign(
            table, split.by, split.validation, split.test, split.genus_holdout, split.seed
        ).to_numpy()
    table["weight"] = 0.0
    for name in table["split"].unique():
        own = table["split"] == name
        table.loc[own, "weight"] = sampling_weights(table[own], block.temperature)
    table["shared"] = shared_with_training(table, sequences)
    folder.mkdir(parents=True, exist_ok=True)
    audit = _audit(table)
    if block.split.by in ("contig", "position"):
        for row in audit.itertuples():
            log.warning(
                "split by %s: one genome lies on both sides, and %.1f %% of the held-out bases (%s) stand in training sequences, "
                "in matches of 32 bases or more",
                *(block.split.by, 100 * row.shared, row.split),
            )
    write_table(audit, folder / "audit.tsv")
    counts = table.groupby(["division", "split"])["length"].agg(["size", "sum"]).reset_index()
    counted = [(f"{row.division}, {row.split}: sequences", row.size, "") for row in counts.itertuples(index=False)]
    counted += [(f"{row.division}, {row.split}: bases", row.sum, "") for row in counts.itertuples(index=False)]
    counted += [(item, count, "left out") for item, count in left_out.items() if count]
    write_table(pd.DataFrame(counted, columns=["item", "count", "detail"]), folder / "counts.tsv")
    write_table(pd.DataFrame(viruses, columns=["sequence", "title", "why", "what"]), folder / "viruses.tsv")
    write_table(copies, folder / "copies.tsv")
    write_record(folder, Exclusions(0 if reason else len(viruses), len(viruses) if reason else 0, reason, unjudged))
    write_corpus(folder, table, sequences)
    refuse_leak(table, audit, block.split, folder / REFUSED)
    return table


def _sources(block: CorpusBlock, left_out: Counter[str]) -> Iterator[tuple[Record, str]]:
    for source in block.sources:
        files = sorted(glob.glob(source.path))  # noqa: PTH207 - patterns may be absolute
        if not files:
            raise InputError("no such file", where=source.path, fix="Give a path, or a pattern that matches files.")
        for file in files:
            for record in _records(source, Path(file), left_out):
                if block.circular is not None and source.regions == "all":
                    record = replace(record, circular=block.circular)
                yield masked_anew(record) if block.mask == "recompute" else record, source.division


def own_name(record: Record, names: set[str]) -> str:
    """Return a name that no record before has, and add it to `names`: `contig_1` of another file is `contig_1@FILE`."""
    name, number = record.name, 1
    while name in names:
        name = f"{record.name}@{record.assembly}" + (f".{number}" if number > 1 else "")
        number += 1
    names.add(name)
    return name


def _records(source: Source, path: Path, left_out: Counter[str]) -> Iterator[Record]:
    """Yield the sequences of a file, or of their genes alone."""
    if source.regions == "all":
        yield from read_records(path, source.format)
        return
    if form_of(path, source.format) != "genbank":
        fix = "Give GenBank files, or leave `regions` out."
        raise InputError("a FASTA file says of no gene where it is", where=path, fix=fix)
    for record, _, features in read_features(path):
        parts = list(gene_parts(record, features, source.flank, path))
        left_out["bases outside of genes"] += len(record.codes) - sum(len(part.codes) for part in parts)
        yield from parts


def suspected(record: Record, division: str) -> str | None:
    """Return why a record is taken for a virus of eukaryotes, by its own division or that of its source; None: it is none."""
    name = f"{record.species} {record.title}".strip()
    return virus_of_eukaryotes(name, record.lineage, record.host, record.code if record.code in VIRAL else division)


def excluded(record: Record, words: Sequence[str]) -> bool:
    """Return whether a record is of a species, genus, family or any taxon of its lineage that is left out."""
    names = (record.species, record.genus, record.family, record.name, *record.lineage)
    own = {name.lower() for name in names}
    return any(word.lower() in own for word in words)


def _row(record: Record, division: str, digest: str, cluster: int, split: str) -> dict[str, Any]:
    codes = record.codes & 7
    known = codes < UNKNOWN
    return {
        "sequence": record.name,
        "assembly": record.assembly,
        "division": division,
        "taxid": record.taxid,
        "species": record.species,
        "genus": record.genus,
        "family": record.family,
        "length": len(codes),
        "n": int((~known).sum()),
        "softmask": int((record.codes >= 8).sum()),
        "gc": float(np.isin(codes, (1, 2)).sum() / max(1, known.sum())),
        "topology": "circular" if record.circular else "linear",
        "sha256": digest,
        "cluster": cluster,
        "split": split,
    }


def shared_with_training(table: pd.DataFrame, sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Return of each held-out sequence the share of its bases in exact matches of 32 bases or more to training, either strand.

    Not a number for training sequences.
    """
    train = (table["split"] == "train").to_numpy()
    shares = np.full(len(table), np.nan)
    if train.all():
        return shares
    collection = Collection(letters(codes) for codes, own in zip(sequences, train) if own)
    for row in np.flatnonzero(~train):
        found = collection.match(letters(sequences[row]))
        shares[row] = found.covered(WIDTH) / len(sequences[row])
    return shares


def _audit(table: pd.DataFrame) -> pd.DataFrame:
    """Return by split: sequences and bases by how much of them is in training."""
    rows = []
    for split, part in table[table["split"] != "train"].groupby("split"):
        bases = part["length"].sum()
        row = {"split": split, "sequences": len(part), "bases": int(bases)}
        row["shared"] = float((part["shared"] * part["length"]).sum() / bases)
        for low, high, name in BINS:
            inside = (part["shared"] > low) & (part["shared"] <= high)
            row[f"bases of sequences with {name} shared"] = int(part.loc[inside, "length"].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def refuse_leak(table: pd.DataFrame, audit: pd.DataFrame, split: CorpusSplit, folder: Path) -> None:
    """Stop where held-out sequences share more of their bases with training than is allowed; the worst are named.

    Then `audit.tsv` and `sequences.tsv` (held-out sequences and the shares of each, the largest first) lie in a folder, which is
    removed where nothing is refused.

    Raises
    ------
    InputError
        A split does.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for row in audit.itertuples():
        if row.shared > split.max_shared:
            held_out = table[table["split"] != "train"].sort_values("shared", ascending=False, kind="stable")
            columns = ["sequence", "division", "species", "cluster", "split", "length", "shared"]
            write_table(audit, folder / "audit.tsv")
            write_table(held_out[columns], folder / "sequences.tsv")
            own = table[table["split"] == row.split]
            worst = own.loc[(own["shared"] * own["length"]).nlargest(3).index]
            named = ", ".join(f"{one.sequence} {one.shared:.0%}" for one in worst.itertuples())
            wider = "a lower `identity`, genus or family" if split.by == "cluster" else "cluster or genus"
            raise InputError(
                f"{row.shared:.1%} of the held-out bases ({row.split}) stand in training sequences, in matches of 32 bases or more "
                f"(most of them in {named}; {folder} has all)",
                where="corpora.*.split.max_shared",
                fix=f"Divide by {wider}, or allow it (max_shared above {split.max_shared:g}) and say so.",
            )
