"""What the files of a user are, by their headers and indexes: read before anything is proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from glmflow.errors import InputError

LINES = 5000
"""Lines of a table, annotation or BED file that are looked at."""


class Signal(NamedTuple):
    """A bigWig file: whether its values are negative."""

    path: str
    negative: bool


class TableHead(NamedTuple):
    """The first rows of a table: text by column."""

    path: str
    columns: dict[str, list[str]]

    @property
    def header(self) -> list[str]:
        """Names of the columns."""
        return list(self.columns)

    def column(self, *names: str) -> str | None:
        """Return the column of one of these names, whatever its capitals; the first that is there."""
        plain = {name.strip().lstrip("#").lower(): name for name in self.columns}
        return next((plain[name] for name in names if name in plain), None)


class Span(NamedTuple):
    """An interval of a BED file, 0-based half-open: its name and score, empty where the file has none."""

    chrom: str
    start: int
    end: int
    name: str
    score: str


def segmented(spans: Sequence[Span]) -> bool:
    """Whether spans follow one another without a gap, as those of a segmentation or an annotation do: half of them."""
    touching = sum(a.chrom == b.chrom and a.end == b.start for a, b in pairwise(spans))
    return len(spans) > 2 and touching >= (len(spans) - 1) / 2


class FoundFiles:
    """The files that were given, each checked as it is asked for.

    Parameters
    ----------
    fasta, vcf, gtf, bigwig, expression, bed, table, motifs, classes
        Paths as they will stand in the study; `classes` are FASTA files of sequences, one a class.

    Raises
    ------
    InputError
        From any attribute: a file is missing, damaged, or not of the genome.
    """

    def __init__(
        self,
        fasta: str | None = None,
        vcf: Sequence[str] = (),
        gtf: str | None = None,
        bigwig: Sequence[str] = (),
        expression: str | None = None,
        bed: Sequence[str] = (),
        table: str | None = None,
        motifs: str | None = None,
        classes: Sequence[str] = (),
    ):
        self.fasta, self.gtf, self.expression, self.table_path = fasta, gtf, expression, table
        self.motifs = motifs
        self.vcf, self.bigwig, self.bed, self.classes = list(vcf), list(bigwig), list(bed), list(classes)
        several = (*self.vcf, *self.bigwig, *self.bed, *self.classes)
        for path in (fasta, gtf, expression, table, motifs, *several):
            if path and not Path(path).is_file():
                folder = Path(path).is_dir()
                what, fix = (
                    ("a folder, not a file", "Name a file in it.") if folder else ("no such file", "Correct the path.")
                )
                raise InputError(what, where=path, fix=fix)
        repeated = [path for path, count in Counter(map(str, several)).items() if count > 1]
        if repeated:
            raise InputError("given twice", where=repeated[0], fix="Give each file once.")

    def __bool__(self) -> bool:
        single = (self.fasta, self.gtf, self.expression, self.table_path, self.motifs)
        return any((*single, self.vcf, self.bigwig, self.bed, self.classes))

    def genome_for(self, what: str) -> Mapping[str, int]:
        """Return the lengths of the contigs; stop where no genome is given for what needs one."""
        if not self.fasta:
            raise InputError(f"{what} needs the genome that it lies on", fix="Give it: --fasta genome.fa.")
        return self.contigs

    @cached_property
    def contigs(self) -> dict[str, int]:
        """Length in bases by contig; empty without a genome."""
        from glmflow.genome.reference import contig_lengths

        return contig_lengths(self.fasta) if self.fasta else {}

    @cached_property
    def signals(self) -> list[Signal]:
        """The bigWig files, each of this genome and of one sign."""
        from glmflow.bigwig import BigWig
        from glmflow.tracks.reading import check_track_matches, check_track_sign

        found = []
        for path in self.bigwig:
            check_track_matches(path, self.genome_for("a bigWig"))
            with BigWig(path) as file:
                negative = file.summary.minimum < 0
            check_track_sign(path, negative)
            found.append(Signal(path, negative))
        return found

    @cached_property
    def samples(self) -> list[str]:
        """Samples of the VCF; empty without one, or where it has no genotypes. Its contigs are the genome's."""
        from glmflow.genome.contigs import find_contig
        from glmflow.genome.guards import foreign_contig
        from glmflow.genome.vcf_files import contigs_with_records, open_vcf

        if not self.vcf:
            return []
        contigs = self.genome_for("a VCF")
        for path in self.vcf:
            for name in contigs_with_records(Path(path)).names:
                if find_contig(name, contigs) is None:
                    raise foreign_contig(name, Path(self.fasta or ""), Path(path))
        with_genotypes = [list(open_vcf(Path(path)).samples) for path in self.vcf]
        if any(names != with_genotypes[0] for names in with_genotypes):
            raise InputError(
                "the VCFs hold different samples", where=", ".join(self.vcf), fix="Give files of the same samples."
            )
        return with_genotypes[0]

    @cached_property
    def info_fields(self) -> list[str]:
        """INFO fields of the first VCF."""
        from glmflow.genome.vcf_files import open_vcf

        header = open_vcf(Path(self.vcf[0])).raw_header if self.vcf else ""
        return [line.split("ID=")[1].split(",")[0] for line in header.splitlines() if line.startswith("##INFO=<ID=")]

    @cached_property
    def genes_here(self) -> bool:
        """Whether the annotation has genes on the genome (its first lines are looked at)."""
        from glmflow.genome.contigs import ContigNames
        from glmflow.genome.gene_lines import GeneLines

        if not self.gtf:
            return False
        names = ContigNames(self.genome_for("an annotation"))
        strange: dict[str, None] = {}
        for number, line in enumerate(GeneLines(Path(self.gtf), Counter())):
            if names.find(line.chrom) is not None:
                return True
            strange[line.chrom] = None
            if number > 100 * LINES:
                break
        seen = ", ".join(list(strange)[:3]) or "none with a gene"
        raise InputError(
            f"no gene on a contig of {self.fasta}: its contigs are {seen}",
            where=self.gtf,
            fix="Give GTF or GFF3 of the same assembly.",
        )

    @cached_property
    def table(self) -> TableHead | None:
        """First rows of the table; None without one."""
        from glmflow.labelled.columns import require_names_once
        from glmflow.labelled.delimited import TableFile

        if not self.table_path:
            return None
        file = TableFile(self.table_path)
        require_names_once(file.header, self.table_path)
        columns: dict[str, list[str]] = {name: [] for name in file.header}
        for block in file.blocks(file.header):
            for name in columns:
                columns[name] += [str(value) for value in block.column(name).to_pylist()]
            if len(next(iter(columns.values()), [])) >= LINES:
                break
        if not next(iter(columns.values()), []):
            raise InputError("no rows below the header", where=self.table_path, fix="Give a table with rows.")
        return TableHead(self.table_path, columns)

    @property
    def peak_table(self) -> bool:
        """Whether the table names peak files: `file`, `cell` and `tf`."""
        return self.table is not None and {"file", "cell", "tf"} <= set(self.table.header)

    @cached_property
    def intervals(self) -> dict[str, list[Span]]:
        """The first intervals of each BED file; they lie on the genome."""
        from glmflow.genome.contigs import ContigNames
        from glmflow.genome.intervals import bed_lines

        found: dict[str, list[Span]] = {}
        names = ContigNames(self.genome_for("a BED file")) if self.bed else None
        for path in self.bed:
            found[path] = []
            for line in bed_lines(Path(path)):
                if names is not None and names.find(line.chrom) is None:
                    raise InputError(
                        f"contig {line.chrom!r} is not in {self.fasta}", where=line.where, fix="Use the genome's names."
                    )
                name, score = [*line.rest, "", ""][:2]
                found[path].append(Span(line.chrom, line.start, line.end, name, score))
                if len(found[path]) >= LINES:
                    break
            if not found[path]:
                raise InputError("no interval", where=path, fix="Give lines of chrom, start, end.")
        return found

    @cached_property
    def class_lengths(self) -> dict[str, list[int]]:
        """Lengths in bases of the first sequences of each FASTA file of a class."""
        from glmflow.fasta_records import fasta_records

        found = {path: [len(record.sequence) for record in islice(fasta_records(path), LINES)] for path in self.classes}
        empty = [path for path, lengths in found.items() if not any(lengths)]
        if empty:
            raise InputError("no sequence in it", where=empty[0], fix="Give a FASTA file (lines of > and bases).")
        return found
