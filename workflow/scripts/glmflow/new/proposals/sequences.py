"""Labelled sequences are proposed for a table of sequences or intervals and labels (--table), FASTA files of two classes
or more (--classes), or BED files of two classes or more (--bed --fasta).
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np

from glmflow.errors import InputError
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles, TableHead, segmented
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed, low_rank

PUBLISHED = ("nucleotide-transformer-v2-500m", "dnabert2", "caduceus-ph-131k")
SEQUENCES = ("sequence", "seq", "dna_sequence", "dna_seq", "dna", "text")
LABELS = ("label", "labels", "target", "class", "y", "activity", "value", "score")
SPLITS = ("split", "set", "partition", "fold")
CLASSES = 20
"""Distinct numbers above which labels are values, and not classes."""
MOST_CLASSES = 200
"""Names of intervals beyond which they are no classes."""
APART = {"by": "similarity", "validation": 0.1, "test": 0.2}
"""Splits of rows that come with none."""
ENOUGH = 0.99
"""Share of the sequences that are read whole."""


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return the task, a small network, simple explanations of its labels, and a control with permuted labels."""
    if found.classes:
        source, labels, length, guesses = _of_fasta(found)
    elif found.bed:
        first = found.intervals[found.bed[0]]
        if len(found.bed) == 1 and first[0].name and len({span.name for span in first}) == 1:
            return None  # one class is no label of intervals
        source, labels, length, guesses = _of_bed(found)
    elif found.table is not None and _is_labelled(found.table):
        source, labels, length, guesses = _of_table(found, found.table)
    else:
        return None
    task = {"kind": "sequences", **source, "length": length, **({"labels": "values"} if labels == "values" else {})}
    train = {"optimizer": "adamw", "learning_rate": 3.0e-3, "warmup": 0.1, "steps": 600, "batch": 64, "micro_batch": 64}
    scratch = {
        "kind": "full",
        "head": {"kind": "pooled", "pool": "meanmax", "hidden": 32, "dropout": 0.2},
        "train": {**train, "evaluations": 6, "keep": "best"},
    }
    linear = "kmer_logistic" if labels == "classes" else "kmer_ridge"
    simple = baselines("majority", "length_only", "gc_only", linear, "nearest_training")
    models = listed(*PUBLISHED)
    lora = low_rank(epochs=3, batch=32) | {"head": {"kind": "pooled"}}
    settings = {
        "tasks": {"labelled": task, "permuted": {**task, "control": "permuted_labels"}},
        "models": {"promoter_cnn": {"new": {"family": "promoter_cnn"}}, **simple, **models},
        "adaptations": {"pooled": scratch, **BASELINE, "lora_pooled": lora},
        "runs": [
            {"tasks": ["labelled"], "models": ["promoter_cnn"], "adaptations": ["pooled"], "seeds": [1, 2, 3]},
            {"tasks": ["permuted"], "models": ["promoter_cnn"], "adaptations": ["pooled"]},
            {"tasks": ["labelled"], "models": list(simple), "adaptations": ["baseline"]},
            {"tasks": ["labelled"], "models": list(models), "adaptations": ["lora_pooled"], "seeds": [1, 2, 3]},
        ],
    }
    comments = {
        (
            "tasks",
            "labelled",
            "length",
        ): f"Bases that are read of a sequence, from its middle: {ENOUGH:.0%} are no longer.",
        ("tasks", "labelled", "splits"): "Near copies stay together. Others: given, contig, block, group, homology.",
        (
            "tasks",
            "permuted",
        ): "Control: labels change places among the training rows; every model has to be at chance.",
        ("models", "length_only"): "Simple explanations: what length, GC content, k-mers or a copy in training tell.",
    }
    return Draft(settings, comments, guesses, list(models), _second(found))


def _second(found: FoundFiles) -> str:
    """Return what the files would be, where they look like something else: peaks with motifs, or spans without gaps."""
    if found.bed and found.motifs:
        return "intervals with a class each"
    return "intervals with a class each" if found.bed and all(map(segmented, found.intervals.values())) else ""


def _is_labelled(table: TableHead) -> bool:
    """Whether a table has sequences, or intervals, and no alleles."""
    if table.column("ref") and table.column("alt"):
        return False
    return bool(table.column(*SEQUENCES) or _interval(table))


def _interval(table: TableHead) -> dict[str, str] | None:
    """Return the columns of an interval; None without all of them."""
    names = {
        "chrom": ("chrom", "chr", "chromosome"),
        "start": ("start", "chromstart"),
        "end": ("end", "stop", "chromend"),
    }
    found = {role: table.column(*usual) for role, usual in names.items()}
    return {role: name for role, name in found.items() if name} if all(found.values()) else None


def _of_table(found: FoundFiles, table: TableHead) -> tuple[dict, str, int, list[str]]:
    """Return the source of a table, what its labels are, the length and what was guessed."""
    label = table.column(*LABELS)
    if label is None:
        raise InputError(
            f"no column of labels: the header has {', '.join(table.header)}",
            where=table.path,
            fix="Name the column of classes or values `label`.",
        )
    sequence, interval = table.column(*SEQUENCES), _interval(table)
    columns = {"label": label}
    if sequence:
        lengths = [len(text) for text in table.columns[sequence]]
        columns["sequence"] = sequence
    else:
        found.genome_for("a table of intervals")
        columns |= interval or {}
        lengths = _lengths(table, columns)
    split = table.column(*SPLITS)
    values = table.columns[label]
    labels = "values" if _are_values(values) else "classes"
    if labels == "classes" and len(set(values)) < 2:
        raise InputError(
            f"column {label!r} has one value, {values[0]!r}", where=table.path, fix="Give two classes or more."
        )
    shown = ", ".join(sorted(set(values))[:5]) if labels == "classes" else "numbers"
    guesses = [
        f"column {label!r} holds the labels, which are {labels} ({shown}); "
        f"{'sequences' if sequence else 'intervals'} are in {sequence or ', '.join((interval or {}).values())}"
    ]
    if split:
        columns["split"] = split
        splits = {"by": "given"}
        guesses.append(f"splits are those of column {split!r}; `by: similarity` makes new ones without near copies")
    else:
        splits = dict(APART)
        guesses.append("no column of splits: rows are divided at random, near copies together")
    return {"table": table.path, "columns": columns, "splits": splits}, labels, _length(lengths), guesses


def _lengths(table: TableHead, columns: dict[str, str]) -> list[int]:
    """Return the lengths of the intervals of a table."""
    lengths = []
    for number, (start, end) in enumerate(zip(table.columns[columns["start"]], table.columns[columns["end"]]), 2):
        if not (start.isdecimal() and end.isdecimal() and int(start) < int(end)):
            raise InputError(f"{start} to {end} is no interval", where=f"{table.path}:{number}", fix="Correct it.")
        lengths.append(int(end) - int(start))
    return lengths


def _of_fasta(found: FoundFiles) -> tuple[dict, str, int, list[str]]:
    """Return the source of FASTA files, one a class."""
    if len(found.classes) < 2:
        raise InputError("one class is no label", where=found.classes[0], fix="Give a FASTA file a class, two or more.")
    named, lengths = _named_by_class(found.classes, "FASTA"), [*chain.from_iterable(found.class_lengths.values())]
    guesses = [
        f"each FASTA file is a class: {', '.join(named)}",
        "the files have no splits: sequences are divided at random, near copies together",
    ]
    return {"fasta": named, "splits": dict(APART)}, "classes", _length(lengths), guesses


def _named_by_class(paths: list[str], what: str) -> dict[str, str]:
    """Return files by the class that each is named after: what stands before the first dot."""
    names = [Path(path).name.split(".")[0] for path in paths]
    if len(set(names)) < len(names):
        raise InputError(f"two {what} files have the same name", where=paths[0], fix="Name each after its class.")
    return dict(zip(names, paths))


def _of_bed(found: FoundFiles) -> tuple[dict, str, int, list[str]]:
    """Return the source of BED files: one a class, or one whose names are the labels."""
    lengths = [span.end - span.start for spans in found.intervals.values() for span in spans]
    splits = dict(APART)
    if len(found.bed) > 1:
        named = _named_by_class(found.bed, "BED")
        guesses = [f"each BED file is a class: {', '.join(named)}"]
        return {"bed": named, "splits": splits}, "classes", _length(lengths), guesses
    path = found.bed[0]
    names, scores = ([getattr(span, part) for span in found.intervals[path]] for part in ("name", "score"))
    if len(set(names)) > MOST_CLASSES and len(set(scores)) > 2 and _are_values(scores):
        guesses = [f"column 5 of {path} holds the labels, which are values; column 4 names the intervals"]
        return {"bed": path, "splits": splits}, "values", _length(lengths), guesses
    if not 1 < len(set(names)) <= MOST_CLASSES:
        raise InputError(
            f"its intervals have no labels: column 4 has {len(set(names)):,} different names, and column 5 no values",
            where=path,
            fix="Write the class into column 4, or give one BED file a class (--bed peaks.bed --bed others.bed).",
        )
    guesses = [f"column 4 of {path} holds the labels, which are classes ({', '.join(sorted(set(names))[:5])})"]
    return {"bed": path, "splits": splits}, "classes", _length(lengths), guesses


def _are_values(labels: list[str]) -> bool:
    """Whether labels are measured values: numbers, and many different ones or not whole."""
    try:
        numbers = np.array([float(text) for text in labels])
    except ValueError:
        return False
    distinct = np.unique(numbers)
    return len(distinct) > CLASSES or bool((distinct != np.round(distinct)).any() and len(distinct) > 2)


def _length(lengths: list[int]) -> int:
    """Return the length that holds most sequences whole, in whole tens."""
    return max(10, int(np.ceil(np.quantile(lengths, ENOUGH) / 10) * 10))
