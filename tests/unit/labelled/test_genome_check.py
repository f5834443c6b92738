"""Sequences beside intervals of a genome: those that differ are counted, and told by how the intervals may be meant."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config.tasks.sequences import Sequences
from glmflow.genome.packed import pack
from glmflow.genome.reference import Reference
from glmflow.labelled.genome_check import differing_from_genome, genome_check
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division

ROWS, LENGTH = 100, 60
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def genome(tmp_path):
    """A genome of two contigs, one of them of random bases."""
    bases = "".join(np.random.default_rng(0).choice(list("ACGT"), 20_000))
    (tmp_path / "g.fa").write_text(f">chr1\n{bases}\n>chr2\n{'ACGT' * 20}\n")
    return tmp_path / "g.fa", bases


def rows_of(bases):
    """Sequences that are those of the genome, every other one on the - strand."""
    start = 100 + 150 * np.arange(ROWS)
    strand = np.where(np.arange(ROWS) % 2, "-", "+")
    texts = [bases[at : at + LENGTH] for at in start]
    texts = [text.translate(COMPLEMENT)[::-1] if own == "-" else text for text, own in zip(texts, strand)]
    split = ["train"] * (ROWS - 30) + ["validation"] * 10 + ["test"] * 20
    table = {"sequence": texts, "label": np.arange(ROWS) // 2 % 2, "split": split, "chrom": "chr1", "start": start}
    return pd.DataFrame({**table, "end": start + LENGTH, "strand": strand})


def spoiled(table, count):
    """The first sequences with every base changed."""
    texts = [text.translate(COMPLEMENT) if row < count else text for row, text in enumerate(table["sequence"])]
    return table.assign(sequence=texts)


def shifted(table, by):
    return table.assign(start=table["start"] + by, end=table["end"] + by)


def test_letters_that_differ_are_counted_on_either_strand_and_n_is_none(genome):
    rows = pd.DataFrame({"chrom": "chr2", "start": [0, 4, 8], "end": [8, 12, 16], "strand": ["+", "-", "+"]})
    packed = pack(["ACGTACGN", "ACGTACGT", "ACGTACGA"])
    assert differing_from_genome(rows, packed, Reference(genome[0]))[:2] == (1, 3)


PLANTED = {
    "none": (lambda t: t, "PASS", 0, "0 of 100 sequences"),
    "contigs by another name": (lambda t: t.assign(chrom="1"), "PASS", 0, "0 of 100 sequences"),
    "five of a hundred": (lambda t: spoiled(t, 5), "PASS", 5, "5 of 100"),
    "six of a hundred": (lambda t: spoiled(t, 6), "WARN", 6, "another genome (hg19 or hg38?)"),
    "another build": (lambda t: shifted(t, 70), "WARN", 100, "another genome (hg19 or hg38?)"),
    "both ends count from 1": (lambda t: t.assign(start=t["start"] + 1), "WARN", 100, "100 of them begin a base before"),
    "starts and ends are one too large": (lambda t: shifted(t, 1), "WARN", 100, "`one_based: true`"),
    "said to count from 1, and do not": (lambda t: t.assign(start=t["start"] - 1), "WARN", 100, "`one_based: false`"),
    "no strand": (lambda t: t.drop(columns="strand"), "WARN", 50, "50 of them are those of the other strand"),
    "the strands exchanged": (lambda t: t.assign(strand=t["strand"].map({"+": "-", "-": "+"})), "WARN", 100, "strand"),
    "a variant in each": (lambda t: t.assign(sequence=["AC"[s[9] == "A"].join((s[:9], s[10:])) for s in t["sequence"]]), "WARN", 100, "variants?"),
    "beyond the ends of contigs": (lambda t: shifted(t, 30_000), "WARN", 100, "another genome"),
    "no contig of it": (lambda t: t.assign(chrom="chrX"), "WARN", 0, "no interval lies on a contig"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_found_and_what_explains_it(genome, name):
    plant, verdict, rows, words = PLANTED[name]
    found = genome_check(plant(rows_of(genome[1])), Reference(genome[0]))
    assert (found.verdict, found.rows) == (verdict, rows) and words in found.text, found


@pytest.mark.parametrize(("by", "status"), [(0, "PASS"), (1, "WARN")])
def test_the_audit_of_a_task_says_it(genome, tmp_path, by, status):
    shifted(rows_of(genome[1]), by).to_csv(tmp_path / "t.csv", index=False)
    task = Sequences(kind="sequences", table=str(tmp_path / "t.csv"), length=LENGTH)
    checks = examples(task, {"genome": str(genome[0])}, Division()).checks.set_index("check")
    row = checks.loc["sequences on the genome"]
    assert (row["status"], row["found"], row["of"], row["leak"]) == (status, 100 * by, 100, "no")
    assert "sequences on the genome" not in examples(task, {}, Division()).checks["check"].tolist()
