"""Intervals of a BED file lie within the genome."""

import pytest
from glmflow.errors import InputError
from glmflow.genome.intervals import read_intervals


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one\t10\n", "line 1: not chrom, start and end"),
        ("one\t1\t5\nfour\t1\t5\n", r"line 2: no contig four; the genome has one, two\."),
        ("two\t30\t38\n", r"two:30-38 is not within two \(0-37\)\."),
        ("#\n", "no interval"),
    ],
)
def test_intervals_that_are_none(text, message, tmp_path):
    bed = tmp_path / "x.bed"
    bed.write_text(text)
    with pytest.raises(InputError, match=message):
        read_intervals(bed, {"one": 500, "two": 37})
