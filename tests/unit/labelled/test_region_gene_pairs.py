"""Enhancer and target gene of DNALongBench as it lies on disk: a table of pairs and a BED of enhancers; small, made here."""

import gzip

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.checks.sequences import check
from glmflow.config import ConfigurationError, check_study
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.labelled.region_gene_pairs import pair_sequences, with_genes
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division

PRESET = "dnalongbench/enhancer_target_gene"
SIZE = 60_000
PAIRS = {"chrom": "gene_chrom", "start": "gene_start", "end": "gene_end", "strand": "gene_strand"}
COLUMNS = [
    *("gene_chrom", "gene_start", "gene_end", "region_chrom", "region_start", "region_end", "gene_id", "gene_strand"),
    *("region_id", "target", "subset"),
]
ENHANCERS = [(4000, 4600), (12_000, 12_500), (20_000, 20_800), (25_300, 26_000), (33_000, 34_500), (41_000, 41_700)]
ROWS = [  # gene, strand, region
    ("g1", 30_000, 33_000, "+", 12_000, 12_500),  # beyond the region: turned
    ("g2", 28_000, 36_000, "-", 12_000, 12_500),
    ("g3", 5_000, 9_000, "+", 41_000, 41_700),  # before it
    ("g4", 5_000, 9_000, "-", 41_000, 41_700),
    ("g5", 10_000, 30_000, "-", 12_000, 12_500),  # around it: not turned
    ("g6", 21_000, 23_000, "+", 20_000, 20_800),  # meeting: nothing between
    ("g7", 1_000, 3_000, "+", 25_300, 26_000),  # its flank leaves the contig
    ("g8", 50_000, 58_500, "-", 33_000, 34_500),  # so does this one, at the other end
]


@pytest.fixture
def published(tmp_path):
    generator = np.random.default_rng(1)
    genome = {chrom: "".join(generator.choice(list("ACGT"), SIZE)) for chrom in ("chr1", "chr2", "chr3")}
    (tmp_path / "g.fa").write_text("".join(f">{chrom}\n{text}\n" for chrom, text in genome.items()))
    table = []
    for number, (chrom, split) in enumerate((("chr1", "train"), ("chr2", "valid"), ("chr3", "test"))):
        for row, (gene, start, end, strand, first, last) in enumerate(ROWS):
            target = ("positive", "negative")[(row + number) % 2]
            table.append((chrom, start, end, chrom, first, last, f"{gene}_{chrom}", strand, f"r{first}", target, split))
    table = pd.DataFrame(table, columns=COLUMNS)
    table.to_csv(tmp_path / "pairs.tsv", sep="\t", index=False)
    bed = [f"{chrom}\t{start}\t{end}" for chrom in genome for start, end in ENHANCERS]
    (tmp_path / "enhancers.bed").write_text("\n".join(bed) + "\n")
    return tmp_path, table, genome


def settings(folder, **more):
    found = {"kind": "sequences", "table": str(folder / "pairs.tsv"), "preset": PRESET, "bootstrap": 20}
    return found | {"masked": str(folder / "enhancers.bed")} | more


def made(folder, **more):
    return examples(Sequences(**settings(folder, **more)), {"genome": folder / "g.fa"}, Division())


def by_letters(row, genome):
    """The published definition, letter by letter, without the padding."""
    text = genome[row.gene_chrom]
    tss = row.gene_start if row.gene_strand == "+" else row.gene_end - 1
    gene, region = set(range(tss - 3000, tss + 3001)), set(range(row.region_start - 500, row.region_end + 500))
    places = range(min(gene | region), max(gene | region) + 1)
    letters = {place: text[place] if 0 <= place < len(text) else None for place in places}
    between = set(places) - gene - region
    for start, end in ENHANCERS:
        if set(range(start, end)) & between:
            letters |= {place: "N" for place in range(start, end) if place in letters}
    found = "".join(letters[place] or "" for place in places)
    if row.gene_start > row.region_end + 500:
        return found[::-1].translate(str.maketrans("ACGT", "TGCA"))
    return found


def test_sequences_are_those_of_the_published_definition(published):
    folder, table, genome = published
    found = made(folder).table
    expected = [by_letters(row, genome) for row in table.itertuples()]
    assert found["sequence"].tolist() == expected
    assert any("N" * 800 in text for text in expected) and "N" not in expected[5]
    assert found["target"].tolist() == table["target"].tolist()
    assert found["group"].tolist() == table["gene_id"].tolist()
    assert found["split"].tolist() == table["subset"].replace({"valid": "validation"}).tolist()
    assert found["strand"].tolist() == ["-", "-", "+", "+", "+", "+", "+", "-"] * 3


@pytest.mark.parametrize("length", [2000, 9001])
def test_of_a_longer_stretch_both_ends_are_read(published, length):
    folder, table, genome = published
    found = made(folder, length=length)
    for text, row in zip(found.table["sequence"], table.itertuples()):
        whole = by_letters(row, genome)
        short = len(whole) <= length
        assert len(text) == (len(whole) if short else length)
        assert short or {
            text[: length // 2] == whole[: length // 2],
            text[-(length // 2) :] == whole[-(length // 2) :],
        } == {True}
    longer = sum(len(by_letters(row, genome)) > length for row in table.itertuples())
    counts = dict(zip(found.counts["item"], found.counts["count"]))
    assert longer > 5 and counts["pairs farther apart than `length`, of which both ends are read"] == longer


def test_classes_are_in_their_published_order_and_a_compressed_bed_is_the_same(published):
    folder, *_ = published
    plain = made(folder)
    assert plain.facts["classes.tsv"]["class"].tolist() == ["negative", "positive"]
    pysam.tabix_compress(str(folder / "enhancers.bed"), str(folder / "enhancers.bed.gz"), force=True)
    (folder / "gzip.bed.gz").write_bytes(gzip.compress((folder / "enhancers.bed").read_bytes()))
    for name in ("enhancers.bed.gz", "gzip.bed.gz"):
        assert made(folder, masked=str(folder / name)).table["sequence"].equals(plain.table["sequence"])


def test_pairs_that_are_none_are_left_out_and_counted(published):
    folder, table, genome = published
    table = table.astype(object)
    table.loc[0, "gene_chrom"] = "chr2"
    table.loc[1, "gene_strand"] = "."
    table.to_csv(folder / "pairs.tsv", sep="\t", index=False)
    found = made(folder)
    assert found.table["sequence"].tolist() == [by_letters(row, genome) for row in table.iloc[2:].itertuples()]
    notes = " ".join(found.facts["sources.tsv"]["note"])
    assert "22 pairs of region and gene; left out: 1 on two contigs, 1 of genes of unknown strand" in notes


def layout(folder, table, longest):
    rows = table.rename(columns={"region_chrom": "chrom", "region_start": "start", "region_end": "end"})
    rows = rows[["chrom", "start", "end"]].assign(row=np.arange(1, len(rows) + 1))
    return with_genes(rows, folder / "pairs.tsv", {**PAIRS, "flank": 3000, "region_flank": 500, "longest": longest})


def test_pairs_too_far_apart_are_left_out_and_long_ones_cut_behind_the_gene(published):
    folder, table, genome = published
    # Row 0: region to 13,000, gene from 27,000: 14,000 between them, and 21,501 bases from end to end.
    rows, said = layout(folder, table, 14_000)
    assert 1 in rows["row"].tolist() and "more than 14,000 bases apart" in said
    first = rows[rows["row"] == 1]
    _, packed, _ = pair_sequences(first, _reference(folder), folder / "enhancers.bed", 450_000, 3000)
    assert packed.text(0) == by_letters(table.iloc[0], genome)[:14_000]
    rows, _ = layout(folder, table, 13_999)
    assert 1 not in rows["row"].tolist()


def _reference(folder):
    from glmflow.genome.reference import Reference

    return Reference(folder / "g.fa")


def test_what_is_wrong_is_one_line(published):
    folder, table, _ = published

    def fails(match, **more):
        with pytest.raises(InputError, match=match) as error:
            made(folder, **more)
        assert "\n" not in str(error.value)

    (folder / "other.bed").write_text("chrX\t1\t20\n")
    fails("other.bed: no contig of the genome", masked=str(folder / "other.bed"))
    fails("absent.bed: no such file", masked=str(folder / "absent.bed"))
    table.astype(object).assign(gene_end="far").to_csv(folder / "pairs.tsv", sep="\t", index=False)
    fails(r"pairs.tsv, row 1, column gene_end: 'far' is no whole number")
    table.assign(gene_strand="?").to_csv(folder / "pairs.tsv", sep="\t", index=False)
    fails("no pair that is read .*24 of genes of unknown strand")
    table.assign(gene_start=table["gene_start"] + SIZE, gene_end=table["gene_end"] + SIZE).to_csv(
        folder / "pairs.tsv", sep="\t", index=False
    )
    fails("end beyond their contig")


def study(folder, genome=True, **more):
    return {
        "study": "s",
        **({"reference": {"fasta": str(folder / "g.fa")}} if genome else {}),
        "tasks": {"t": settings(folder, **more)},
        "models": {"m": {"baseline": "majority"}},
        "adaptations": {"b": {"kind": "baseline"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["b"]}],
    }


def test_checks_before_a_run_are_lines(published):
    folder, table, _ = published
    assert [line for _, line in check(check_study(study(folder)), "t", lambda: None)] == []
    table.drop(columns="gene_strand").to_csv(folder / "pairs.tsv", sep="\t", index=False)
    (line,) = [line for _, line in check(check_study(study(folder)), "t", lambda: None)]
    assert "pairs.tsv: no column 'gene_strand'" in line
    for match, more in {
        "masked: name the BED of all regions": {"masked": None},
        "middle: pairs are read from both of their ends": {"middle": 100},
        "around: pairs are read from both": {"around": "middle"},
        "masked: is of a `preset` of pairs": {"preset": None},
    }.items():
        with pytest.raises(ConfigurationError, match=match):
            check_study(study(folder, **more))
    with pytest.raises(ConfigurationError, match="pairs of regions and genes are read from the genome"):
        check_study(study(folder, genome=False))
