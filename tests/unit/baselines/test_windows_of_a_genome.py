"""Baselines on intervals: what they are from sequences, and a memory that does not grow with the bases."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines import sequence_lookups, sequence_predictors
from glmflow.baselines.sequence_lookups import fit_nearest_training
from glmflow.baselines.sequence_predictors import PREDICTORS, SequenceData
from glmflow.genome.packed import OnGenome, fetch
from glmflow.genome.reference import Reference
from glmflow.labelled import composition


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    bases = np.random.default_rng(0).choice(np.frombuffer(b"ACGTN", np.uint8), 100_000, p=[0.3, 0.19, 0.2, 0.3, 0.01])
    path.write_bytes(b">chr1\n" + bases.tobytes() + b"\n")
    return Reference(path)


def windows(genome, rows, length, classes=2):
    """Windows of a genome on both strands, whose label is whether they hold more G and C than most."""
    generator = np.random.default_rng(1)
    start = generator.integers(0, 100_000 - length, rows)
    table = pd.DataFrame({"chrom": "chr1", "start": start, "end": start + length})
    table["strand"] = generator.choice(["+", "-"], rows)
    split = np.array(
        ["train"] * (rows // 2) + ["validation"] * (rows // 4) + ["test"] * (rows - 3 * (rows // 4)), object
    )
    sequences = OnGenome(genome, table)
    share = composition.composition(sequences)["gc"].to_numpy()
    target = (share > np.median(share)).astype(int) if classes else share
    return SequenceData(table, sequences, target, classes, split)


@pytest.mark.parametrize("kind", ["gc_only", "length_only", "kmer_logistic", "kmer_ridge", "position_logistic"])
def test_intervals_and_their_sequences_give_the_same(genome, kind, monkeypatch):
    monkeypatch.setattr(sequence_predictors, "AT_ONCE", 3_000)
    monkeypatch.setattr(composition, "AT_ONCE", 3_000)
    data = windows(genome, 200, 120, None if kind == "kmer_ridge" else 2)
    held = data._replace(packed=fetch(genome, data.rows))
    settings = {"k": [3, 6]} if kind.startswith("kmer") else {}
    one, other = PREDICTORS[kind](data, **settings), PREDICTORS[kind](held, **settings)
    assert one.chosen == other.chosen
    assert one.values == pytest.approx(other.values, abs=1e-6)
    assert kind == "length_only" or np.ptp(one.values[data.of("test")]) > 0.1


def test_the_network_reads_intervals_as_sequences(genome):
    from glmflow.baselines.small_cnn import fit_genomic_benchmarks_cnn

    data = windows(genome, 120, 80)
    held = data._replace(packed=fetch(genome, data.rows))
    one, other = (fit_genomic_benchmarks_cnn(some, epochs=1) for some in (data, held))
    assert (one.values == other.values).all()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_bases(genome, monkeypatch):
    """24 MB of sequence are read with less than half of that held; held as bytes they alone would be 24 MB."""
    for module in (sequence_predictors, composition):
        monkeypatch.setattr(module, "AT_ONCE", 1 << 16)
    monkeypatch.setattr(OnGenome, "BLOCK", 1 << 16)
    data = windows(genome, 3_000, 8_000)
    tracemalloc.start()
    try:
        PREDICTORS["kmer_logistic"](data, k=[2], c=[1.0])
        PREDICTORS["gc_only"](data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert data.sequences.lengths.sum() == 24_000_000 and peak < 12_000_000


def test_of_more_training_rows_than_a_table_holds_a_sample_is_fitted_and_said(genome, monkeypatch):
    data = windows(genome, 400, 100)
    whole = PREDICTORS["kmer_logistic"](data, k=[3], c=[1.0])
    monkeypatch.setattr(sequence_predictors, "TABLE", 4 * 64 * 50)  # 64 columns of float32
    found = PREDICTORS["kmer_logistic"](data, k=[3], c=[1.0])
    assert "training rows fitted" not in whole.chosen and found.chosen["training rows fitted"] == 50
    known = np.isfinite(found.values).all(axis=1)
    assert known[data.of("validation", "test")].all() and known[data.of("train")].sum() == 50
    test = data.of("test")
    assert (found.values[test, 1].round() == data.target[test]).mean() > 0.7  # learned all the same


def test_lookups_compare_places_where_there_are_too_many_bases(genome, monkeypatch):
    data = windows(genome, 400, 100)
    assert fit_nearest_training(data).chosen["by"] == "21-mers"
    monkeypatch.setattr(sequence_lookups, "COMPARED", 30_000)
    assert fit_nearest_training(data).chosen["by"] == "intervals"
