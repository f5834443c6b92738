"""`glmflow audit`: whether held-out sequences of a table are copies of its training sequences."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.config import check_study, read_yaml
from glmflow.config.published import LISTED, read_checkpoints
from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.genome.similarity import exact_copies
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.source_files import FASTA
from glmflow.text_files import read_cells

from .audit import Audit, audit_table, exit_status, graded, named, worst
from .copies import Copies, compare_splits
from .headers import known_columns
from .label_audits import label_audits
from .study_audits import every_audit, make_examples, report_audits, write_clean
from .study_files import check_inputs

COLUMNS = {
    "sequence": ("sequence", "seq", "dna_sequence", "dna_seq", "dna", "text"),
    "split": ("split", "set", "partition", "fold", "subset"),
    "label": ("label", "labels", "target", "class", "y"),
    "name": ("name", "id", "example", "example_id"),
}
TRAINING = ("train", "training")
LETTERS = re.compile(r"[^ACGTUNRYSWKMBDHVacgtunryswkmbdhv]")


def add_audit_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `audit` to the commands of `glmflow`."""
    parser = subparsers.add_parser(
        "audit",
        description="Of a study (YAML): make its examples and run every audit of them and of its files. Of a table: "
        "compare the held-out sequences of a table with its training sequences, by content: exact, "
        "reverse-complemented, shifted, with substitutions; and, where it has labels, what tells them without the "
        "sequence. Every audit ends in PASS, WARN or FAIL.",
    )
    parser.add_argument(
        "table",
        type=Path,
        metavar="FILE",
        help="a study's YAML, or CSV, TSV, parquet or JSON lines with columns of sequences and splits",
    )
    parser.add_argument(
        "--training", nargs="+", default=list(TRAINING), help="splits that are learned from (default: train)"
    )
    parser.add_argument(
        "--output", type=Path, help="table (TSV) of every held-out sequence and its closest training sequence"
    )
    parser.add_argument(
        "--clean",
        type=Path,
        help="write the table (of a study: a folder of them) without held-out examples that are copies",
    )
    parser.add_argument("--k", type=int, help="length of a k-mer (default: by the amount of sequence)")
    parser.add_argument("--cores", type=int, default=1, help="threads (default: 1)")
    parser.add_argument(
        "--fail-on",
        choices=("never", "leak", "warning"),
        help="what makes the exit status 1 (default: leak; of a study its own `fail_on`)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command: print a line an audit, write what was asked for, return the exit status."""
    if arguments.table.suffix in (".yaml", ".yml"):
        return audit_study(arguments)
    table, whole, columns = read_sequences(arguments.table)
    found = compare_splits(
        table["sequence"].tolist(),
        table["split"].to_numpy(str),
        table["name"].to_numpy(object),
        tuple(name.lower() for name in arguments.training),
        arguments.k,
        cores=arguments.cores,
    )
    audits = [*found.audits, *_of_labels(table, arguments.table)]
    if "label" in table:
        audits += label_audits(arguments.table, columns)
    for audit in audit_table(audits).itertuples(index=False):
        print(Audit(*audit))
    if arguments.output:
        write_table(_named(found, table), arguments.output)
    if arguments.clean:
        leaking = found.table.loc[~found.no_near_copy[found.table["row"]], "row"]
        kept = whole.drop(index=leaking)
        _write(kept, arguments.clean)
        print(f"{len(leaking):,} held-out sequences left out, {len(kept):,} rows written to {arguments.clean}")
    print(f"{worst(audits)} over {len(audits)} audits of {len(table):,} sequences")
    return exit_status(audits, arguments.fail_on or "leak")


def audit_study(arguments: argparse.Namespace) -> int:
    """Make the examples of a study, print its audits, write the clean examples that were asked for, return the exit status."""
    path = arguments.table
    if not path.is_file():
        raise InputError("no such file", where=path, fix="Check the path.")
    study = check_study(read_yaml(path), path, read_checkpoints(LISTED) if LISTED.is_file() else None)
    check_inputs(study, path)
    make_examples(study, path, arguments.cores)
    audits, _ = every_audit(study)
    if arguments.output:
        write_table(audit_table(audits), arguments.output)
    status = report_audits(audits, arguments.fail_on or study.fail_on)
    if arguments.clean:
        for label, (left_out, kept) in write_clean(study, arguments.clean).items():
            print(
                f"{label}: {left_out:,} held-out examples left out, {kept:,} written to {arguments.clean}/{label}.parquet"
            )
    return status


def read_sequences(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Return `sequence`, `split` (small letters), `name` and, where there is one, `label` of a table; the table itself; columns.

    Raises
    ------
    InputError
        No table, no column of sequences or of splits, a letter that is no nucleotide code, or no training sequences.
    """
    whole = read_rows(path)
    columns = known_columns(list(whole.columns), COLUMNS, ("sequence", "split"), str(path)).taken
    table = pd.DataFrame({name: whole[column].astype(str) for name, column in columns.items()})
    for row, sequence in enumerate(table["sequence"]):
        bad = LETTERS.search(sequence)
        if bad:
            raise InputError(
                f"row {row + 1}, letter {bad.start() + 1}: {bad.group()!r} is no nucleotide code",
                where=f"{path}, column {columns['sequence']!r}",
                fix="Give A, C, G, T, N or another IUPAC code.",
            )
    table["split"] = table["split"].str.strip().str.lower().replace({"training": "train", "nan": ""})
    if "name" not in table:
        table["name"] = [f"row {row}" for row in range(1, len(table) + 1)]
    if not (table["split"] == "train").any():
        raise InputError(
            f"no row of split `train`: there are {named(sorted(table['split'].unique())) or 'none'}",
            where=path,
            fix="Name the training split `train`.",
        )
    return table, whole, columns


def read_rows(path: Path) -> pd.DataFrame:
    """Return a table as it is written: CSV, TSV, parquet or JSON lines.

    Raises
    ------
    InputError
        It is none of them.
    """
    if _is_lines(path):
        file = TableFile(path)
        return pd.concat([block.to_pandas() for block in file.blocks(file.header)], ignore_index=True)
    if any(path.name.lower().removesuffix(".gz").endswith(ending) for ending in FASTA):
        fix = "Give a table with a split in each row, or audit a study (`glmflow new STUDY.yaml --fasta ...`)."
        raise InputError("a FASTA file, not a table", where=path, fix=fix)
    return read_cells(path)


def _is_lines(path: Path) -> bool:
    """Return whether a table is JSON lines, by its name."""
    return bool({".jsonl", ".ndjson", ".json"} & set(path.suffixes))


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a table by its suffix."""
    if _is_lines(path):
        with atomic_path(path) as temporary:
            table.to_json(temporary, orient="records", lines=True)
        return
    if ".csv" not in path.suffixes:
        write_table(table, path)
        return
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _of_labels(table: pd.DataFrame, path: Path) -> list[Audit]:
    """Return whether equal sequences have unequal labels, which no model can get right."""
    if "label" not in table:
        return []
    copy = exact_copies(table["sequence"])["copy"].to_numpy()
    labels = table.groupby(copy)["label"].nunique()
    conflicting = np.isin(copy, labels.index[labels > 1])
    text = f"{int(conflicting.sum()):,} of {len(table):,} sequences equal another one that has another label"
    text += f": {named(list(table.loc[conflicting, 'name']))}" if conflicting.any() else ""
    return [graded("one sequence, two labels", int(conflicting.sum()), text, str(path), warn=0)]


def _named(found: Copies, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of held-out sequences with names in place of row numbers."""
    names = np.append(table["name"].to_numpy(object), "")
    return found.table.assign(
        name=names[found.table["row"]],
        nearest_training=names[found.table["nearest_training"]],
        row=found.table["row"] + 1,
    )[["row", "name", *[column for column in found.table.columns if column != "row"]]]
