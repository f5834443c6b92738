"""Lines of genes, transcripts and exons in GTF (Ensembl, GENCODE, UCSC, NCBI, StringTie) and GFF3 (Ensembl, GENCODE, NCBI)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from glmflow.errors import InputError
from glmflow.text_files import text_lines

_GENE = re.compile(r'(?:^|;)\s*gene_id\s+(?:"([^"]*)"|([^\s;]+))')
_NAME = re.compile(r'(?:^|;)\s*(?:gene_name|gene)\s+(?:"([^"]*)"|([^\s;]+))')
_PART = re.compile(r'(?:^|;)\s*(transcript_id|exon_number)\s+(?:"([^"]*)"|([^\s;]+))')
_GFF3 = re.compile(r"(?:^|;)\s*([^=;\s]+)=([^;]*)")
_EXONS = ("exon", "pseudogenic_exon", "noncoding_exon")
_PREFIX = re.compile(r"^(?:gene[:-])")  # of identifiers in GFF3: gene:ENSG... (Ensembl), gene-BRCA1 (NCBI)


def _attribute(pattern: re.Pattern[str], attributes: str) -> re.Match[str] | None:
    """Return the first match outside of quotes: notes in quotes hold semicolons, and words behind them."""
    for found in pattern.finditer(attributes):
        if attributes.count('"', 0, found.start()) % 2 == 0:
            return found
    return None


class GeneLine(NamedTuple):
    """One line of a gene, a transcript or an exon."""

    number: int  # of the line in the file, from 1
    feature: str  # gene, transcript or exon
    chrom: str
    start: int  # 0-based
    end: int  # half-open
    strand: str
    gene_id: str
    given: str | None  # name of the gene, in GFF3
    attributes: str  # of GTF, for `name` and `part`

    @property
    def name(self) -> str | None:
        """Name of the gene."""
        found = _attribute(_NAME, self.attributes)
        return found[1] or found[2] if found else self.given

    def part(self) -> tuple[str | None, str | None]:
        """Return the transcript that an exon of GTF belongs to, and its number there."""
        names = {key: quoted or bare for key, quoted, bare in _PART.findall(self.attributes)}
        return names.get("transcript_id"), names.get("exon_number")


class GeneLines:
    """Reads the lines of an annotation.

    Parameters
    ----------
    path
        GTF or GFF3, plain or compressed.
    skipped
        Counts lines that are left out: `other_feature`, `no_gene_id`, `no_strand`.

    Attributes
    ----------
    circular : set[str]
        Contigs that GFF3 says to be circular, as they are read.
    """

    def __init__(self, path: Path, skipped: Counter):
        self.path, self.skipped = path, skipped
        self.circular: set[str] = set()
        self._gff3: bool | None = None  # by the first line of nine columns
        # Of GFF3: parents by identifier, genes with their names, and what waits until all of them are known.
        self._parents: dict[str, str] = {}
        self._names: dict[str, tuple[str, str | None]] = {}
        self._waiting: list[tuple[int, str, str, int, int, str, str]] = []

    def __iter__(self) -> Iterator[GeneLine]:
        """Yield the lines that have a gene and a strand.

        Raises
        ------
        InputError
            The file cannot be read, or a line is neither GTF nor GFF3.
        """
        for number, columns in self._lines():
            chrom, _, feature, first, last, _, strand, _, attributes = columns[:9]
            start, end = int(first) - 1, int(last)
            if not 0 <= start < end:
                raise InputError(f"{first} to {last} is no interval", where=f"{self.path}:{number}", fix="Correct it.")
            if self._gff3 is None:
                self._gff3 = "=" in attributes and not _GENE.search(attributes)
            read = self._of_gff3 if self._gff3 else self._of_gtf
            if line := read(number, chrom, feature, start, end, strand, attributes):
                yield line
        yield from self._of_parents()

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number and the columns of every line that is no comment."""
        for number, text in text_lines(self.path, errors="replace"):
            if text.startswith("##FASTA"):  # GFF3 may have the sequence behind its lines
                return
            if text.startswith(("#", "track ", "browser ")):
                continue
            columns = text.split("\t")
            if len(columns) < 9 or not (columns[3].isdecimal() and columns[4].isdecimal()):
                fix = "Give nine columns, separated by tabs."
                raise InputError("not a line of GTF or GFF3", where=f"{self.path}:{number}", fix=fix)
            yield number, columns

    def _of_gtf(
        self, number: int, chrom: str, feature: str, start: int, end: int, strand: str, attributes: str
    ) -> GeneLine | None:
        if feature not in ("gene", "transcript", "exon"):
            self.skipped["other_feature"] += 1
            return None
        found = _attribute(_GENE, attributes)
        gene = (found[1] or found[2]) if found else None
        if not self._usable(gene, strand, number):
            return None
        return GeneLine(number, feature, chrom, start, end, strand, str(gene), None, attributes)

    def _of_gff3(
        self, number: int, chrom: str, feature: str, start: int, end: int, strand: str, attributes: str
    ) -> GeneLine | None:
        raw = dict(_GFF3.findall(attributes))
        parent = unquote(raw.pop("Parent", "").partition(",")[0])  # of several the first: they are of one gene
        found = {key: unquote(value) for key, value in raw.items()}
        own = found.get("ID")
        if found.get("Is_circular") == "true":
            self.circular.add(chrom)
        if feature == "gene" or (feature.endswith("gene") and not parent):
            gene = found.get("gene_id") or _PREFIX.sub("", own or "")
            if not self._usable(gene, strand, number):
                return None
            name = found.get("gene_name") or found.get("Name") or found.get("gene")
            if own:
                self._names[own] = gene, name
            return GeneLine(number, "gene", chrom, start, end, strand, gene, name, "")
        if own and parent:
            self._parents.setdefault(own, parent)
        if feature in _EXONS:
            self._waiting.append((number, chrom, strand, start, end, parent, found.get("gene_id", "")))
        else:
            self.skipped["other_feature"] += 1
        return None

    def _of_parents(self) -> Iterator[GeneLine]:
        """Yield the exons of GFF3, whose genes are those of their parents, wherever these stood in the file."""
        for number, chrom, strand, start, end, parent, gene in self._waiting:
            at, steps = parent, 0
            while at not in self._names and at in self._parents and steps < 10:
                at, steps = self._parents[at], steps + 1
            gene, name = self._names.get(at) or (gene, None)
            if self._usable(gene, strand, number):
                yield GeneLine(number, "exon", chrom, start, end, strand, gene, name, f'transcript_id "{parent}"')

    def _usable(self, gene: str | None, strand: str, number: int) -> bool:
        """Return whether a line has a gene and a strand; count it otherwise."""
        if gene and "\ufffd" in gene:
            raise InputError(
                f"gene {gene!r} is not UTF-8", where=f"{self.path}:{number}", fix="Save the file in UTF-8."
            )
        if not gene:
            self.skipped["no_gene_id"] += 1
        elif strand not in ("+", "-"):
            self.skipped["no_strand"] += 1
        return bool(gene) and strand in ("+", "-")
