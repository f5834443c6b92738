"""Clusters of an outside program: what it is asked, and what becomes of its answer; with the program itself where it is."""

import shutil
import sys

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.genome.packed import pack
from glmflow.labelled.holdout import split_rows
from glmflow.labelled.homology_clusters import homology_clusters

STAND_IN = """#!{python}
import sys
fasta, targets, result = sys.argv[2:5]
if "--min-seq-id" not in sys.argv or sys.argv[1] != "easy-search" or targets != fasta:
    sys.exit("asked for something else")
lines = open(fasta).read().split()
if len(lines) < 6:
    sys.exit("Error: too few sequences")
rows = list(zip(lines[::2], lines[1::2]))
with open(result, "w") as found:
    for (one, bases), (two, others) in zip(rows, rows[1:]):  # neighbours alike: the same first ten bases
        shares = "0.4\\t0.6" if bases[:10] == others[:10] else "0.4\\t0.4"
        found.write(one[1:] + "\\t" + two[1:] + "\\t" + shares + "\\n")
"""


@pytest.fixture
def families():
    """Ten families of five members that are 85 % alike, and which family each is of."""
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(10):
        chief = generator.choice(list("ACGT"), 200)
        for member in range(5):
            own = chief.copy()
            changed = generator.choice(np.arange(10, 200), 30 * (member > 0), replace=False)
            own[changed] = generator.choice(list("ACGT"), len(changed))
            rows.append("".join(own))
    return pack(rows), np.repeat(np.arange(10), 5)


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    path = tmp_path / "mmseqs"
    path.write_text(STAND_IN.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_clusters_are_numbered_as_they_come_and_stay_together(families, stand_in):
    packed, family = families
    assert (homology_clusters(packed) == family).all()
    import pandas as pd

    rows = pd.DataFrame({"example": [f"s{row}" for row in range(packed.count)]})
    dealt = split_rows(
        rows, {"by": "homology", "validation": 0.2, "test": 0.2, "seed": 1}, family % 2, packed, None, None
    )
    assert set(dealt.split) == {"train", "validation", "test"}
    assert all(len(set(dealt.split[family == one])) == 1 for one in range(10))


def test_what_the_program_says_is_one_line(families, stand_in):
    with pytest.raises(InputError, match="mmseqs failed: Error: too few sequences") as found:
        homology_clusters(families[0].part(0, 2))
    assert "\n" not in str(found.value)


def test_without_the_program_a_way_to_get_it_is_said(families, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"mmseqs is not installed.*by: similarity"):
        homology_clusters(families[0])


needs_mmseqs = pytest.mark.skipif(shutil.which("mmseqs") is None, reason="MMseqs2 is not installed (Debian: mmseqs2)")


@needs_mmseqs
def test_mmseqs_finds_relatives_that_share_no_long_kmers_on_either_strand(families):
    packed, family = families
    turned = pack([part.reverse_complement().text(0) if row % 2 else part.text(0)
                   for row, part in enumerate(packed.part(row, row + 1) for row in range(packed.count))])  # fmt: skip
    found = homology_clusters(turned)
    assert all(len(set(found[family == one])) == 1 for one in range(10)) and len(set(found)) == 10


@needs_mmseqs
@pytest.mark.parametrize("length", [60, 200])
def test_relatives_of_85_percent_and_halves_of_longer_sequences_are_found(length):
    generator = np.random.default_rng(length)
    rows = []
    for number in range(40):
        one = generator.choice(list("ACGT"), length)
        two = one.copy()
        for place in generator.choice(length, length * 15 // 100, replace=False):
            two[place] = "ACGT"[("ACGT".index(two[place]) + generator.integers(1, 4)) % 4]
        if number % 2:  # more than half of the shorter one, a quarter of the longer
            two = np.concatenate([generator.choice(list("ACGT"), 3 * length // 2), one[: length * 3 // 5]])
        rows += ["".join(one), "".join(two)]
    found = homology_clusters(pack(rows)).reshape(-1, 2)
    assert (found[:, 0] == found[:, 1]).all() and len(np.unique(found)) == 40
