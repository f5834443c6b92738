"""Remembered stretches of a genome are what the genome has there."""

import pickle

import numpy as np
import pytest
from glmflow.genome import remembered
from glmflow.genome.reference import Reference
from glmflow.genome.remembered import RememberedReference
from haplotype_cases import write_fasta


@pytest.mark.parametrize(("page", "most"), [(7, 21), (7, 1_000), (64, 128), (1 << 16, 1 << 20)])
def test_every_interval_is_that_of_the_genome(tmp_path, monkeypatch, page, most):
    monkeypatch.setattr(remembered, "_PAGE", page)
    monkeypatch.setattr(remembered, "_MOST", most)
    rng = np.random.default_rng(1)
    bases = {name: "".join(rng.choice(list("ACGTacgtN"), length)) for name, length in {"a": 200, "b": 64}.items()}
    genome = Reference(write_fasta(tmp_path / "genome.fa", **bases))
    kept = RememberedReference(genome)
    for _ in range(600):
        chrom = rng.choice(["a", "b"])
        start, end = sorted(rng.integers(0, len(bases[chrom]) + 1, 2).tolist())
        found = kept.fetch(chrom, start, end)
        assert found.tobytes().decode() == bases[chrom][start:end].upper()
        found[:] = 0  # an array of the caller's own
        assert len(kept._pages) * page <= most
    assert kept._pages
    assert not pickle.loads(pickle.dumps(kept))._pages


def test_what_is_asked_for_once_is_not_kept(tmp_path):
    kept = RememberedReference(Reference(write_fasta(tmp_path / "genome.fa", a="ACGT" * 10)))
    kept.fetch("a", 3, 9)
    assert not kept._pages
    kept.fetch("a", 4, 9)
    assert len(kept._pages) == 1
