"""How a matrix of expression is laid out: its separator, its comments, and which of its columns are samples."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from glmflow.errors import InputError
from glmflow.genome.column_names import known_columns, nearly, plain_name
from glmflow.text_files import open_text

GENE_COLUMNS = (
    *("gene_id", "gid", "gene", "geneid", "targetid", "target_id", "ensembl_gene_id", "ensembl_id", "name"),
    *("phenotype_id", "pid", "id", "unnamed: 0"),
)
"""Names of the column of gene ids in small letters; the first that is there is taken."""

ABOUT_GENES = {
    *GENE_COLUMNS,
    *("chr", "chrom", "chromosome", "start", "end", "left", "right", "coord", "tss", "strand"),
    *("gene_symbol", "symbol", "gene_name", "genename", "description", "gene_type", "biotype", "length", "gene_length"),
    *("seqname", "seqnames", "width", "chromosome_name", "start_position", "end_position", "locus", "class"),
    *("hgnc_symbol", "external_gene_name", "gene_biotype", "entrez", "entrez_id", "entrezgene", "transcript_id"),
    *("transcript_ids", "transcript_id(s)", "effective_length", "effectivelength", "gene_version", "gene_description"),
}
"""Columns that say something of a gene, in small letters and without `#`; every other column is a sample."""

ABOUT = frozenset(map(plain_name, ABOUT_GENES))

FILES = re.compile(
    r"(\.?Aligned)?(\.(out|sortedByCoord|sorted|sort|markdup|dedup|bam))*\.(bam|sam|cram)"
    r"|\.(genes|isoforms)\.results|(\.quant|/quant)?\.sf|\.?ReadsPerGene\.out\.tab"
)
"""Ends of the files that featureCounts, RSEM, Salmon and STAR name their columns by."""


class Layout(NamedTuple):
    """How a matrix is laid out.

    Attributes
    ----------
    separator
        Between columns, as pandas takes it.
    skipped
        Lines before the first gene.
    gene
        Number of the column of gene ids.
    samples
        Names by number of their columns.
    unnamed
        Numbers of the columns without a name, which are empty.
    rows
        Genes that the head says there are (GCT); None where it says nothing.
    """

    separator: str
    skipped: int
    gene: int
    people: dict[int, str]
    unnamed: list[int]
    rows: int | None


def read_layout(path: Path) -> Layout:
    """Return how a matrix is laid out, from its lines up to the first gene.

    A header may lack the name over the genes (as R writes it) and may end in separators.

    Raises
    ------
    InputError
        It cannot be read, or has no column of gene ids, no sample, or one twice.
    """
    with open_text(path) as handle:
        lines = iter(enumerate(handle, 1))
        number, header = next(((n, text) for n, text in lines if not _is_comment(text)), (0, ""))
        sizes = None
        if version := re.match(r"#1\.([23])\b", header):  # GCT: version, then the size of the table, then its header
            sizes = [int(cell) for cell in next(lines, (0, ""))[1].split() if cell.isdecimal()]
            if len(sizes) != {"2": 2, "3": 4}[version[1]]:
                raise InputError("no size of the table", where=f"{path}:{number + 1}", fix="Give a whole GCT file.")
            number, header = next(lines, (0, ""))
        if not header.strip():
            raise InputError("an empty table of expression", where=path, fix="Give BED, GCT or TSV.")
        separator = next((mark for mark in "\t,;" if mark in header), r"\s+")
        about = sizes[2] if sizes and len(sizes) == 4 else None
        for _ in range(sizes[3] if sizes and len(sizes) == 4 else 0):  # facts of the samples
            number, _ = next(lines, (number, ""))
        number, first = next(((n, text) for n, text in lines if text.strip()), (number + 1, ""))
    names = _names(_cells(header, separator), _cells(first, separator), path)
    gene, people = _columns(names, about, path)
    unnamed = [column for column, name in enumerate(names) if not name]
    return Layout(separator, number - 1, gene, people, unnamed, sizes[0] if sizes else None)


def _is_comment(line: str) -> bool:
    """Return whether a line is blank or a remark: begins with # and is neither the version of a GCT nor a header."""
    if not line.startswith("#"):
        return not line.strip()
    known = ABOUT.intersection(map(plain_name, re.split(r"[\t,;]|\s+", line.lstrip("# "))))
    return line.startswith("##") or not (re.match(r"#1\.[23]\b", line) or ("\t" in line and known))


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of one line."""
    line = line.rstrip("\r\n")
    if separator == r"\s+":
        return [cell.strip('"') for cell in line.split()]
    return next(csv.reader([line], delimiter=separator), [])


def _names(header: list[str], first: list[str], path: Path) -> list[str]:
    """Return a name for every column, empty where it has none."""
    names = [name.strip().removeprefix("#") for name in header]
    lacks = len(first) - len(names)
    if first and lacks == 1 and (first[-1].strip() or names[0].lower() not in GENE_COLUMNS):
        names = ["gene_id", *names] if names[0].lower() not in GENE_COLUMNS else names  # as R writes it
    elif first and lacks > 0 and not any(cell.strip() for cell in first[len(names) :]):
        names += [""] * lacks
    elif first and lacks < 0 and not any(names[len(first) :]):
        names = names[: len(first)]
    if first and len(names) != len(first):
        fix = "Give every column a name, in a line above the first gene."
        raise InputError(f"{len(names)} column names over {len(first)} columns", where=path, fix=fix)
    return names if not names or names[0] else ["gene_id", *names[1:]]


def _columns(names: Sequence[str], about: int | None, path: Path) -> tuple[int, dict[int, str]]:
    """Return the columns of gene ids and of samples; `about` columns behind the first say something of genes (GCT 1.3)."""
    gene = 0 if about is not None else _gene_column(names, path)
    people = {
        column: name
        for column, name in enumerate(names)
        if name and (plain_name(name) not in ABOUT if about is None else column > about)
    }
    if about is None:
        _ask_about(people.values(), path)
    if not people:
        raise InputError("no column of a sample", where=path, fix="Give one column a sample, named as in the VCF.")
    people = dict(zip(people, _without_files(list(people.values()))))
    if len(set(people.values())) < len(people):
        given = list(people.values())
        twice = sorted({name for name in given if given.count(name) > 1})
        fix = "Give one column a sample."
        raise InputError(f"samples come twice: {', '.join(twice[:5])}", where=path, fix=fix)
    return gene, people


def _gene_column(names: Sequence[str], path: Path) -> int:
    """Return the column of gene ids."""
    small = [plain_name(name) for name in names]
    found = next((small.index(plain_name(name)) for name in GENE_COLUMNS if plain_name(name) in small), None)
    if found is not None:
        return found
    known_columns([name for name in names if name], {"gene_id": GENE_COLUMNS}, where=str(path))  # asks about near ones
    fix = f"Name it gene_id; the file has {', '.join(names[:6])} ..."
    raise InputError("no column of gene ids", where=path, fix=fix)


def _ask_about(samples: Iterable[str], path: Path) -> None:
    """Stop where a column that would be a sample is spelled nearly like one about genes; names with digits are samples."""
    for name in samples:
        near = None if any(letter.isdigit() for letter in name) else nearly(name, sorted(ABOUT_GENES))
        if near:
            what = f"column {name!r} may be meant for `{near}`, which says something of genes, and would be a sample"
            raise InputError(what, where=path, fix=f"Name it `{near}`, or the sample otherwise.")


def _without_files(names: list[str]) -> list[str]:
    """Return names of samples where columns are named by files of samples, all of them: `out/HG00096.sorted.bam`."""
    bare = [re.sub(rf"(?:{FILES.pattern})$", "", name) for name in names]
    if any(new == old or not new for new, old in zip(bare, names)):
        return names
    return [PurePath(name).name for name in bare]
