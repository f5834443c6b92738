"""A held-out window or gene that is a copy of training is predicted by what was measured there, whatever strand and shift."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.baselines.nearest_training import gene_lookup, other_strands, placed
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import kind_of
from glmflow.genome.canonical import opposite_strand
from glmflow.genome.reference import Reference
from glmflow.training.inputs.cohort_genes import Gene
from planted_copies import BASES, mutated, write_genome
from pydantic import TypeAdapter
from tiny_tracks import tiny_tracks

SIZE, SHIFT = 2_000, 137


def write_track(path, signals):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([(name, len(values)) for name, values in signals.items()])
        for name, values in signals.items():
            file.addEntries(name, 0, values=values.tolist(), span=1, step=1)
    return str(path)


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("share", [0.0, 0.03])
def test_a_sequence_is_placed_on_its_shifted_and_reversed_copy(strand, share):
    rng = np.random.default_rng(1)
    whole = rng.choice(BASES, SIZE + SHIFT)
    target, query = whole[:SIZE], mutated(rng, whole[SHIFT:], share)
    query = opposite_strand(query) if strand == "-" else query
    found = placed(query, target)
    assert found.strand == strand
    # Base 0 of the query is base SHIFT of the target, or its last one where strands differ, past the target's end.
    assert found.offset == (SHIFT if strand == "+" else SIZE + SHIFT - 1)
    assert placed(rng.choice(BASES, SIZE), target) is None


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_copied_window_gets_the_coverage_of_its_source(tmp_path, strand):
    rng = np.random.default_rng(2)
    made = tiny_tracks(tmp_path)
    train, test = rng.choice(BASES, 20 * SIZE), rng.choice(BASES, 2 * SIZE)
    source = slice(7 * SIZE + SHIFT, 8 * SIZE + SHIFT)
    copy = mutated(rng, train[source], 0.03)
    test[SIZE:] = opposite_strand(copy) if strand == "-" else copy
    files = {"fasta": write_genome(tmp_path / "two.fa", {"a": train, "b": test})}
    signal = {name: rng.gamma(1.0, size=20 * SIZE) for name in ("plus", "minus")}
    empty = np.zeros(2 * SIZE)
    files["tracks"] = [write_track(tmp_path / f"{name}.bw", {"a": signal[name], "b": empty}) for name in signal]
    regions = pd.DataFrame({"chrom": ["a", "b"], "start": 0, "end": [20 * SIZE, 2 * SIZE], "split": ["train", "test"]})
    regions.to_csv(tmp_path / "regions.tsv", sep="\t", index=False)
    for name in ("genes", "exons"):
        (tmp_path / f"{name}.tsv").write_text("gene_id\tchrom\tstart\tend\n")
        files[name] = str(tmp_path / f"{name}.tsv")
    files["regions"] = str(tmp_path / "regions.tsv")
    windows = [("a", start, "train") for start in range(0, 20 * SIZE, SIZE)] + [("b", 0, "test"), ("b", SIZE, "test")]
    examples = pd.DataFrame(windows, columns=["chrom", "start", "split"])
    examples = examples.assign(end=examples["start"] + SIZE, example=[f"w{n}" for n in range(len(examples))])
    settings = made["settings"] | {
        "model": {"baseline": {"kind": "nearest_training"}},
        "tracks": {"plus": {"biosample": "liver", "strand": "+"}, "minus": {"biosample": "liver", "strand": "-"}},
    }
    run_baseline(settings, examples, files, tmp_path)
    for name, other in (("plus", "minus"), ("minus", "plus")):
        with pyBigWig.open(str(tmp_path / f"predicted/{name}.bw")) as file:
            alone, copied = (np.array(file.values("b", start, start + SIZE)) for start in (0, SIZE))
        expected = signal[other][source][::-1] if strand == "-" else signal[name][source]
        # Only the training window that is most alike was found; what lies past it is read from the training region.
        np.testing.assert_allclose(copied, expected, rtol=1e-5)
        np.testing.assert_allclose(alone, signal[name].mean(), rtol=1e-5)


def test_strands_change_places_within_a_biosample():
    tracks = [("liver", "+"), ("liver", "-"), ("brain", "+"), ("heart", "."), ("liver", ".")]
    assert other_strands([{"biosample": name, "strand": strand} for name, strand in tracks]) == [1, 0, 2, 3, 4]


def test_a_copied_gene_gets_what_was_measured_in_its_source(tmp_path):
    rng = np.random.default_rng(3)
    contigs = {"a": rng.choice(BASES, 20_000), "b": rng.choice(BASES, 6_000)}
    contigs["b"][2_000:4_000] = opposite_strand(mutated(rng, contigs["a"][8_137:10_137], 0.05))
    samples = np.array(["s0", "s1", "s2"], object)

    def gene(name, chrom, start, split, target):
        names = np.array([f"{name}|{sample}" for sample in samples], object)
        return Gene(name, chrom, start, start + 2_000, "+", samples, names, np.array(split, object), np.array(target))

    held_out = ["test"] * 3
    genes = [
        gene("one", "a", 0, ["train", "train", "test"], [1.0, 2.0, 9.0]),
        gene("two", "a", 8_000, ["train", "train", "test"], [5.0, 7.0, 9.0]),
        gene("copy", "b", 2_000, held_out, [0.0, 0.0, 0.0]),
        gene("alone", "b", 4_000, held_out, [0.0, 0.0, 0.0]),
    ]
    lookup = gene_lookup(genes, Reference(write_genome(tmp_path / "genes.fa", contigs)))
    assert lookup(genes[2]).tolist() == [5.0, 7.0, 6.0]  # the samples' own, and the mean for the new one
    assert lookup(genes[3]).tolist() == [3.75] * 3  # like nothing: the mean of training
    assert lookup(genes[0]).tolist() == [1.0, 2.0, 1.5]


def test_it_is_marked_as_a_look_up_for_every_target_and_read_under_its_earlier_name():
    (block,) = (block for block in BASELINES if kind_of(block) == "nearest_training")
    assert "look-up" in block.told
    assert all(block.suits(target) for target in ("class_label", "measured_values", "coverage", "expression"))
    assert TypeAdapter(block).validate_python({"kind": "nearest_copy"}).kind == "nearest_training"
