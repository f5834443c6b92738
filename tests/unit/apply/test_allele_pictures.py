"""Where pictures are drawn: around the alleles of the largest target, once a place, inside their contigs."""

import pandas as pd
from glmflow.apply.allele_pictures import intervals_around, write_intervals
from glmflow.genome.reference import Reference


def test_intervals_lie_around_the_largest_targets_and_never_twice(tmp_path):
    (tmp_path / "g.fa").write_text(">a\n" + "ACGT" * 50 + "\n>b\nACGTACGT\n")
    genome = Reference(tmp_path / "g.fa")
    table = pd.DataFrame({
        "chrom": ["a", "a", "a", "a", "b", "a", "z"], "start": [100, 105, 3, 198, 4, 50, 1],
        "target": [-2.0, 1.9, 1.0, 0.5, 9.0, 8.0, 9.0], "reason": ["", "", "", "", "", "ref_mismatch", ""],
    })  # fmt: skip
    found = intervals_around(table, genome.contigs, 3, 20)
    assert found == [("a", 90, 110), ("a", 0, 20), ("a", 180, 200)]
    assert intervals_around(table, genome.contigs, 1, 20) == found[:1]
    bed, fasta = write_intervals(found, genome, tmp_path)
    assert bed.read_text().splitlines()[0] == "a\t90\t110"
    assert fasta.read_text().splitlines()[:2] == [">a_91_110", ("ACGT" * 50)[90:110]]
