"""Baselines of labelled sequences against figures of scripts that share no code with the project, and their properties."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.sequence_lookups import LOOKUPS, fit_nearest_training
from glmflow.baselines.sequence_predictors import PREDICTORS, SequenceData, each_target
from glmflow.errors import InputError
from glmflow.genome.packed import pack
from glmflow.statistics.classification import class_scores
from glmflow.statistics.regression import value_scores

sys.path.insert(0, str(Path(__file__).parents[1] / "labelled"))
from real_sets import expected, read


def real(folder, name, column, transform=lambda target: target):
    """A real set with the split of the expected results."""
    data, packed = read(folder, name)
    if name == "lac_sortseq":
        split = data.rows["split"].to_numpy(object)
    else:
        file = pd.read_csv(folder / "expected" / "splits" / f"{name}.csv.gz")
        split = file["chromosomes" if column.startswith("chromosomes") else column].to_numpy(object)
    classes = len(data.labels.classes) if data.labels.kind == "classes" else None
    used = np.isin(split, ["train", "validation", "test"])
    rows = np.flatnonzero(used)
    target = transform(data.rows["target"].to_numpy())
    found = SequenceData(data.rows[used].reset_index(drop=True), packed.take(rows), target[rows], classes, split[rows])
    return found, expected(folder, f"results_{name}.json")["splits"][column]["results"]


def scored(data, predicted):
    test = data.of("test")
    scores = value_scores if data.classes is None else class_scores
    return {name: value[0] for name, value in scores(data.target[test], predicted.values[test]).items()}


CASES = [
    ("uci_splice", "random_seed1", "majority", {}, "majority"),
    ("uci_splice", "random_seed1", "position_logistic", {"c": [0.1]}, "one_hot_linear"),
    ("uci_splice", "near_copies_together_seed1", "position_logistic", {"c": [0.1]}, "one_hot_linear"),
    ("uci_splice", "random_seed1", "kmer_logistic", {"k": [4], "c": [10]}, "kmer_linear_k4 (C 10)"),
    ("gb_human_ensembl_regulatory_sample", "random_seed1", "length_only", {}, "length_only"),
    ("gb_human_ensembl_regulatory_sample", "random_seed1", "gc_only", {}, "gc_only"),
    ("gb_human_ensembl_regulatory_sample", "random_seed1", "kmer_logistic", {"k": [4], "c": [0.1]}, "kmer_linear_best"),
    ("gb_human_nontata_promoters", "random_seed1", "gc_only", {}, "gc_only"),
    ("gb_human_nontata_promoters", "random_seed1", "kmer_logistic", {"k": [6], "c": [0.1]}, "kmer_linear_k6 (C 0.1)"),
    (
        *("gb_human_nontata_promoters", "near_copies_together_seed1", "kmer_logistic"),
        *({"k": [6], "c": [0.1]}, "kmer_linear_k6 (C 0.1)"),
    ),
    (
        *("gb_human_nontata_promoters", "near_copies_together_seed1", "kmer_logistic"),
        *({"k": [4], "c": [0.1]}, "kmer_linear_k4 (C 0.1)"),
    ),
    ("tf_peaks_hg19", "chromosomes_test_8_9_validation_7", "kmer_logistic", {"k": [4], "c": [0.1]}, "kmer_linear_best"),
    (
        "ecoli_promoter_strength",
        "random_seed1",
        "kmer_ridge",
        {"k": [5], "alpha": [100.0]},
        "kmer_linear_k5 (alpha 100)",
    ),
    (
        *("ecoli_promoter_strength", "near_copies_together_seed1", "kmer_ridge"),
        *({"k": [5], "alpha": [100.0]}, "kmer_linear_k5 (alpha 100)"),
    ),
    ("lac_sortseq", "given_training_validation_test", "position_logistic", {"alpha": [100.0]}, "one_hot_linear"),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "column", "kind", "settings", "reference"), CASES)
def test_figures_lie_within_the_intervals_of_the_reference(test_data, name, column, kind, settings, reference):
    transform = np.log2 if name == "ecoli_promoter_strength" else lambda target: target
    data, results = real(test_data / "sequences", name, column, transform)
    found = scored(data, PREDICTORS[kind](data, **settings))
    for metric in ("accuracy", "mcc", "auroc") if data.classes else ("pearson", "r2"):
        value, low, high = results[reference][metric]
        if name == "tf_peaks_hg19":  # the reference was fitted to a sample of the training rows
            high = 1.0
        assert low - 0.002 <= found[metric] <= high + 0.002, (metric, found[metric], value)


@pytest.mark.real
def test_choosing_on_validation_rows_reaches_the_reference(test_data):
    data, results = real(test_data / "sequences", "gb_human_nontata_promoters", "near_copies_together_seed1")
    found = PREDICTORS["kmer_logistic"](data, k=[4, 6], c=[0.1, 10.0])
    low = results["kmer_linear_best"]["mcc"][1]
    assert found.chosen["c"] == 0.1 and scored(data, found)["mcc"] >= low


@pytest.mark.real
def test_remembering_labels_solves_the_official_split_of_nontata_promoters(test_data):
    """.9971 without a base read; no published model reaches it (best .966)."""
    from glmflow.labelled.sources import read_source

    folder = test_data / "sequences/gb_human_nontata_promoters/coordinates/human_nontata_promoters"
    rows = read_source({"folder": folder}).rows
    data = SequenceData(rows, None, rows["target"].to_numpy(), 2, rows["split"].to_numpy(object))
    found = LOOKUPS["nearest_training"](data)
    wanted = expected(test_data / "sequences", "gb_official_splits_lookup.json")["human_nontata_promoters"]
    assert scored(data, found)["accuracy"] == pytest.approx(wanted["lookup_accuracy"], abs=0.0005)
    assert found.told and found.chosen["found"] == wanted["overlapping_train"]


@pytest.mark.real
def test_remembering_gains_from_a_random_split(test_data):
    folder = test_data / "sequences"
    together, _ = real(folder, "gb_human_nontata_promoters", "near_copies_together_seed1")
    random, _ = real(folder, "gb_human_nontata_promoters", "random_seed1")
    assert scored(random, fit_nearest_training(random))["accuracy"] > 0.88
    clean = scored(together, fit_nearest_training(together, share=0.5))
    assert clean["mcc"] == 0  # no near copy is left to look at


@pytest.mark.real
@pytest.mark.slow
def test_the_published_network_reaches_its_reference(test_data):
    data, results = real(test_data / "sequences", "uci_splice", "near_copies_together_seed1")
    from glmflow.baselines.small_cnn import fit_genomic_benchmarks_cnn

    found = scored(data, fit_genomic_benchmarks_cnn(data, epochs=8))
    assert found["mcc"] >= results["gb_cnn"]["mcc"][1] - 0.02 and found["auroc"] >= 0.985


@pytest.mark.real
def test_length_alone_reaches_what_it_reaches(test_data):
    """.8233 accuracy, the line of the specification, to the last digit."""
    data, _ = real(test_data / "sequences", "gb_human_ensembl_regulatory_sample", "random_seed1")
    found = scored(data, PREDICTORS["length_only"](data))
    assert {name: round(found[name], 4) for name in ("accuracy", "mcc", "auroc", "brier")} == {
        "accuracy": 0.8233, "mcc": 0.74, "auroc": 0.9436, "brier": 0.2456,
    }  # fmt: skip


def made(rows=400, classes=2, seed=0):
    """Sequences in which class 1 holds a motif; training, validation and test rows."""
    generator = np.random.default_rng(seed)
    target = generator.integers(0, classes, rows)
    sequences = ["".join(generator.choice(list("ACGT"), 80)) for _ in range(rows)]
    sequences = [s[:40] + "TGACGTCA" + s[48:] if label == 1 else s for s, label in zip(sequences, target)]
    split = np.array(["train"] * (rows // 2) + ["validation"] * (rows // 4) + ["test"] * (rows // 4), object)
    return SequenceData(pd.DataFrame(index=range(rows)), pack(sequences), target, classes, split)


@pytest.mark.parametrize("kind", ["majority", "length_only", "gc_only", "kmer_logistic", "position_logistic"])
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_of_every_class_add_up_to_one(kind, classes):
    data = made(200, classes)
    values = PREDICTORS[kind](data).values
    assert values.shape == (200, classes)
    assert values.sum(axis=1) == pytest.approx(1)


def test_permuted_training_labels_give_chance():
    """The mean of ten permutations is within three of its standard errors of 0."""
    data = made(1000)
    seen = data.of("train", "validation")
    found = []
    for seed in range(10):
        target = data.target.copy()
        target[seen] = np.random.default_rng(seed).permutation(target[seen])
        found.append(scored(data, PREDICTORS["kmer_logistic"](data._replace(target=target), k=[3], c=[0.1]))["mcc"])
    assert scored(data, PREDICTORS["kmer_logistic"](data, k=[3], c=[0.1]))["mcc"] > 0.6
    assert abs(np.mean(found)) < 3 * np.std(found, ddof=1) / np.sqrt(10)


def test_a_class_without_a_training_row_is_never_predicted():
    data = made(200, 3)
    keep = (data.target != 2) | (data.split != "train")
    data = SequenceData(data.rows[keep], data.packed.take(np.flatnonzero(keep)), data.target[keep], 3, data.split[keep])
    assert (PREDICTORS["kmer_logistic"](data, k=[3], c=[1.0]).values[:, 2] == 0).all()


def test_nothing_is_chosen_without_validation_rows():
    data = made(100)
    data = data._replace(split=np.where(data.split == "validation", "train", data.split))
    assert PREDICTORS["kmer_logistic"](data, k=[3], c=[1.0]).chosen == {"k": 3, "c": 1.0}
    with pytest.raises(InputError, match="nothing to choose by"):
        PREDICTORS["kmer_logistic"](data)


def test_positions_are_for_aligned_sequences():
    data = made(100)._replace(packed=pack(["ACGT" * 10, "ACGTA" * 10] * 50))
    with pytest.raises(InputError, match="40 to 50 bases are not aligned"):
        PREDICTORS["position_logistic"](data)


def test_both_strands_share_their_columns():
    data = made(100)
    turned = data._replace(packed=data.packed.reverse_complement())
    one = PREDICTORS["kmer_logistic"](data, k=[4], c=[1.0], both_strands=True)
    other = PREDICTORS["kmer_logistic"](turned, k=[4], c=[1.0], both_strands=True)
    assert one.values == pytest.approx(other.values, abs=1e-6)


def test_copies_are_found_on_either_strand_and_only_among_known_rows():
    generator = np.random.default_rng(0)
    sequences = ["".join(generator.choice(list("ACGT"), 100)) for _ in range(40)]
    turned = sequences[0].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    sequences[30:34] = [sequences[1], turned, sequences[2][:90], sequences[39]]
    target = generator.integers(0, 3, 40)
    split = np.array(["train"] * 25 + ["validation"] * 5 + ["test"] * 10, object)
    data = SequenceData(pd.DataFrame(index=range(40)), pack(sequences), target, 3, split)
    found = fit_nearest_training(data)
    assert found.values[30:33].argmax(axis=1).tolist() == target[[1, 0, 2]].tolist()
    assert found.chosen["found"] == 3  # row 33 is a copy of another test row


def test_several_labels_are_fitted_one_by_one():
    data = made(300)
    labels = np.stack([data.target, 1 - data.target], axis=1)
    values, chosen = each_target(PREDICTORS["kmer_logistic"], data, labels, True, k=[4], c=[0.1])
    assert values.shape == (300, 2) and len(chosen) == 2
    assert values.sum(axis=1) == pytest.approx(1, abs=1e-6)
    numbers, _ = each_target(PREDICTORS["kmer_ridge"], data, labels.astype(float), False, k=[4], alpha=[100.0])
    assert numbers.shape == (300, 2)


def test_alleles_and_haplotypes():
    generator = np.random.default_rng(0)
    alleles = generator.integers(0, 2, (300, 30))
    target = (alleles[:, 3] + alleles[:, 7] > 1).astype(int)
    split = np.array(["train"] * 200 + ["test"] * 100, object)
    data = SequenceData(pd.DataFrame(index=range(300)), None, target, 2, split)
    assert scored(data, LOOKUPS["allele_logistic"](data, alleles=alleles))["auroc"] > 0.95
    near = LOOKUPS["nearest_haplotype_class"](data, alleles=alleles).values
    test = data.of("test")
    for row in test[:20]:
        distance = np.abs(alleles[:200] - alleles[row]).sum(axis=1)
        closest = distance == distance.min()
        assert near[row, 1] == pytest.approx(target[:200][closest].mean())
    assert LOOKUPS["alt_count"](data, alleles=alleles).values.shape == (300, 2)


@pytest.mark.parametrize("length", [30, 64, 251])
def test_the_network_takes_any_length_and_ignores_what_pads_it(length):
    import torch
    from glmflow.models.genomic_benchmarks_cnn import GenomicBenchmarksCNN, encode

    model = GenomicBenchmarksCNN(length, 3).eval()
    letters = encode([np.frombuffer(b"ACGTN" * 6, np.uint8)], length)
    assert letters.shape[1] == max(length, 64) and letters[0, :6].tolist() == [0, 1, 2, 3, 4, 0]
    assert model(letters.long()).shape == (1, 3)
    assert not any(isinstance(module, torch.nn.Sigmoid) for module in model.modules())


def test_the_network_learns_a_motif_and_keeps_the_best_epoch():
    from glmflow.baselines.small_cnn import fit_genomic_benchmarks_cnn

    data = made(800)
    found = fit_genomic_benchmarks_cnn(data, epochs=6, learning_rate=3e-3)
    again = fit_genomic_benchmarks_cnn(data, epochs=6, learning_rate=3e-3)
    assert scored(data, found)["auroc"] > 0.9
    assert (found.values == again.values).all() and 1 <= found.chosen["epoch"] <= 6


def test_gapped_kmers_are_refused_without_their_package_for_too_many_rows_or_several_lengths():
    from glmflow.baselines.gapped_kmers import fit_gkm_svm

    with pytest.raises(InputError, match="200 training rows; its kernel matrix is for up to 50"):
        fit_gkm_svm(made(400), most=50)
    uneven = pack(["ACGT" * 10, "ACGTA" * 10] * 50)
    with pytest.raises(InputError, match="sequences of 40 to 50 bases; its package reads one length"):
        fit_gkm_svm(made(100)._replace(packed=uneven))
    if importlib.util.find_spec("gkmsvm") is None:
        with pytest.raises(InputError, match="needs the package gkmsvm-lite"):
            fit_gkm_svm(made(40))


def test_gapped_kmers_find_the_motif():
    pytest.importorskip("gkmsvm", reason="gkmsvm-lite is not installed (pip install gkmsvm-lite)")
    from glmflow.baselines.gapped_kmers import fit_gkm_svm

    data = made(160)
    found = fit_gkm_svm(data)
    assert scored(data, found)["auroc"] > 0.9 and found.values.sum(axis=1) == pytest.approx(1)
    three = made(160, 3)
    assert fit_gkm_svm(three).values.shape == (160, 3)
    numbers = fit_gkm_svm(data._replace(target=data.target.astype(float), classes=None)).values
    assert np.corrcoef(numbers[data.of("test")], data.target[data.of("test")])[0, 1] > 0.5
