"""Results of tasks of further kinds, made of numbers from nowhere, beside those of `synthetic_study`."""

import importlib.util
import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

_spec = importlib.util.spec_from_file_location("synthetic_study", Path(__file__).with_name("synthetic_study.py"))
synthetic_study = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(synthetic_study)

SEEN, UNSEEN = "seen genes unseen individuals", "unseen genes unseen individuals"
GENES = [f"G{n}" for n in range(20)]


def make_mixed_study(folder, **settings):
    """A study of tracks with two tasks of genes in samples, two of contexts and two of classes of sequences."""
    results = synthetic_study.make_study(folder, **settings)
    add_samples(results, "expression")
    add_samples(results, "permuted", models=["net"], r=0.1, control="permuted_samples")
    add_contexts(results, "far")
    add_contexts(results, "near", models=["plain"])
    add_classes(results, "promoters")
    add_classes(results, "splice", classes=("acceptor", "donor", "neither"))
    synthetic_study.comparisons().write_comparisons(results)
    return results


def _run(results, task, model, adaptation, seed, settings, origin, kind=None, cost=None):
    run = results / "runs" / task / model / adaptation / f"seed{seed}"
    (run / "scores").mkdir(parents=True)
    (run / "predicted").mkdir()
    block = {"task": settings, "model": origin, "adaptation": {"kind": kind or adaptation}, "hash": "0a1b"}
    (run / "run.yaml").write_text(yaml.safe_dump(block))
    prediction = {"predict_seconds": 3.0, "predict_peak_memory_mb": 210.0, "parameters": 5000}
    (run / "prediction.json").write_text(json.dumps(prediction))
    if cost:
        (run / "cost.json").write_text(json.dumps({"parameters": 5000, "trainable_parameters": 5000} | cost))
    return run, {"task": task, "model": model, "adaptation": adaptation, "seed": seed}


SAMPLE_MODELS = {
    "net": ({"new": {"family": "promoter_cnn"}}, "full", 0.40, 0.30),
    "enet": ({"baseline": {"kind": "elastic_net"}}, "baseline", 0.35, 0.0),
    "means": ({"baseline": {"kind": "gene_mean"}}, "baseline", 0.0, 0.0),
}


def add_samples(results, task, models=tuple(SAMPLE_MODELS), r=None, **changes):
    """Targets of genes in samples; r of seen and unseen genes is known, the spread over genes is the same everywhere."""
    settings = {"kind": "snp2gex", "variants": "all", "min_maf": 0.0, "control": "none"} | changes
    noise = np.random.default_rng(0).normal(0, 0.05, len(GENES))
    facts = {"chrom": "1", "tss": 999, "strand": "+", "variants": 9, "common_variants": 5, "haplotypes": 7}
    for model in models:
        origin, kind, seen, unseen = SAMPLE_MODELS[model]
        cost = {"train_seconds": 7.0, "peak_memory_mb": 300.0, "device": "cpu", "warnings": []}
        run, names = _run(results, task, model, kind, 1, settings, origin, cost=cost)
        rows, tables = [], []
        for subset, mean in ((SEEN, seen if r is None else r), (UNSEEN, unseen if r is None else r)):
            values = mean + noise - noise.mean() if mean else np.zeros(len(GENES))
            genes = {
                "group": GENES,
                "gene_name": GENES,
                "pearson": values,
                "q": 0.5,
                "ceiling": 0.63,
                "heritability": 0.4,
            }
            tables.append(pd.DataFrame(genes).assign(split="test", subset=subset, **facts))
            rows += [
                ("test", subset, 1200, "cross_individual_pearson", mean, 0.05, 20),
                ("test", subset, 1200, "cross_individual_constant_count", 0 if mean else 20, np.nan, 20),
                ("test", subset, 1200, "demeaned_r2", mean**2, 0.02, 400),
            ]
        rows.append(("variants", "unseen genes", 1200, "causal_first_ratio", 0.9, 0.1, 10))
        rows.append(("variants", "unseen genes", 1200, "elastic_net_top_ratio", 0.5, 0.1, 10))
        synthetic_study.write_metrics(run, rows, **names)
        pd.concat(tables).to_csv(run / "scores/personal.tsv", sep="\t", index=False)
        write_effects(run, model)
    counts, checks = [("genes used", 20), ("samples used", 60)], [("samples of both training and test", 0, 60, "no")]
    synthetic_study.write_examples(results, task, counts, checks)


def write_effects(run, model):
    """Five variants a gene; the second has the largest contribution in the network, and alone has a weight elsewhere."""
    rows = []
    for number, gene in enumerate(GENES):
        for place, (effect, sd) in enumerate([(0.1, 0.6), (-0.5, 0.4), (0.3, 0.1), (2.0, 0.0), (0.02, 0.9)]):
            name = f"1:{100 * number + place}:A:C"
            effect = effect if model == "net" else (0.7 if place == 1 else 0.0)
            rows.append((gene, name, "1", place, "A", "C", 0.2, sd, 11 + place, effect))
    columns = ["gene", "variant", "chrom", "pos", "ref", "alt", "maf", "dosage_sd", "carriers", "effect"]
    pd.DataFrame(rows, columns=columns).to_csv(run / "predicted/variants.tsv", sep="\t", index=False)


CONTEXT_MODELS = {
    "plain": ({"pretrain": {"family": "tiny_causal", "steps": 100}}, 0.0),
    "yarn": (
        {"extend": {"model": "plain", "method": "yarn", "factor": 4.0, "steps": 20, "batch": 2, "length": 512}},
        0.3,
    ),
    "pi": ({"extend": {"model": "plain", "method": "pi", "factor": 4.0, "steps": 20, "batch": 2, "length": 512}}, 0.1),
}


def add_contexts(results, task, models=tuple(CONTEXT_MODELS)):
    """Zero-shot runs: they have no cost of their own; what their models cost lies beside the models."""
    for model in models:
        origin, gain = CONTEXT_MODELS[model]
        for seed in (1, 2):
            run, names = _run(results, task, model, "zero_shot", seed, {"kind": "context_extension"}, origin)
            rows = []
            for length in (256, 512, 1024):
                for subset, shift in (("all", 0.0), ("repeat", -0.2), ("far_repeat", -0.1), ("background", 0.02)):
                    rows.append(
                        ("test", subset, length, "loss", 1.35 + shift - gain * length / 4096 + seed / 500, 0.02, 48)
                    )
                for variant, share in (("exact", 1.0), ("mutated", 0.6), ("reverse_complement", 0.1)):
                    value = share * (0.1 + gain) * 256 / length
                    rows.append(("test", variant, length, "copy_advantage", value + seed / 500, 0.02, 48))
            synthetic_study.write_metrics(run, rows, **names)
            training = results / "models" / model / "training" / f"seed{seed}"
            training.mkdir(parents=True, exist_ok=True)
            cost = {"trainable_parameters": 4321, "train_seconds": 17.0, "peak_memory_mb": 345.0}
            (training / "cost.json").write_text(json.dumps(cost))
    synthetic_study.write_examples(
        results, task, [("windows drawn", 48)], [("windows that training has seen", 0, 48, "no")]
    )
    columns = [
        "model",
        "metric",
        "subset",
        "context_bp",
        "mean",
        "low",
        "high",
        "p",
        "seeds",
        "windows",
        "p_holm",
        "reference",
    ]
    rows = []
    for one, other in permutations(models, 2):
        for metric, subsets in (("copy_advantage", ("exact", "mutated")), ("loss", ("all", "repeat"))):
            difference = (
                (CONTEXT_MODELS[one][1] - CONTEXT_MODELS[other][1]) * (1 if metric == "copy_advantage" else -1) / 4
            )
            rows += [(one, metric, subset, 1024, difference, difference - 0.01, difference + 0.01, 0.002, 2, 0, 0.01, other) for subset in subsets]  # fmt: skip
    (results / "comparisons" / task).mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=columns).to_csv(results / f"comparisons/{task}/pairs.tsv", sep="\t", index=False)


CLASS_MODELS = {
    "causal": ({"pretrain": {"family": "tiny_causal"}}, "full", 0.90),
    "cnn": ({"new": {"family": "cnn"}}, "full", 0.85),
    "kmer_logistic": ({"baseline": {"kind": "kmer_logistic"}}, "baseline", 0.75),
    "majority": ({"baseline": {"kind": "majority"}}, "baseline", 0.60),
}


CURVES = ("roc", "precision-recall", "reliability")


def add_classes(results, task, classes=("negative", "positive"), n=100):
    """Classes of sequences: of each class a known share is right, the rest is taken for the next class."""
    for model, (origin, kind, accuracy) in CLASS_MODELS.items():
        for seed in (1, 2):
            cost = {"train_seconds": 20.0, "peak_memory_mb": 280.0, "device": "cpu", "warnings": []}
            run, names = _run(results, task, model, kind, seed, {"kind": "sequences"}, origin, cost=cost)
            right = round(n * accuracy)
            values = {
                "accuracy": accuracy, "balanced_accuracy": accuracy, "mcc": 2 * accuracy - 1, "f1_macro": accuracy,
                "auroc": accuracy + 0.05, "auprc": accuracy + 0.04, "brier": 1 - accuracy, "ece": 0.1 - accuracy / 20,
                "cross_entropy": 1.2 - accuracy,
            }  # fmt: skip
            total = n * len(classes)
            rows = [("test", "all", 250, name, value, 0.02, total) for name, value in values.items()]
            rows += [
                ("test", "no_near_copy", 250, name, value - 0.02, 0.04, total // 2) for name, value in values.items()
            ]
            synthetic_study.write_metrics(run, rows, **names)
            confusion = [(name, name, right) for name in classes]
            confusion += [(name, classes[(place + 1) % len(classes)], n - right) for place, name in enumerate(classes)]
            table = pd.DataFrame(confusion, columns=["observed", "predicted", "count"]).assign(split="test")
            table.to_csv(run / "scores/confusion.tsv", sep="\t", index=False)
            table = pd.DataFrame({"class": classes, "n": n, "recall": accuracy, "precision": accuracy}).assign(
                split="test"
            )
            table.to_csv(run / "scores/classes.tsv", sep="\t", index=False)
            if len(classes) == 2:
                points = [(classes[1], name, x, x**0.5, x, x**0.3, total) for name in CURVES for x in (0.0, 0.5, 1.0)]
                columns = ["class", "curve", "x", "y", "low", "high", "n"]
                table = pd.DataFrame(points, columns=columns).assign(split="test")
                table.to_csv(run / "scores/curves.tsv", sep="\t", index=False)
    synthetic_study.write_examples(
        results,
        task,
        [("sequences used", 400), ("duplicates", 3)],
        [("sequences of both training and test", 2, 200, "yes")],
    )
    table = pd.DataFrame({"class": classes, "train": 300, "validation": 50, "test": n})
    table.to_csv(results / f"examples/{task}/classes.tsv", sep="\t", index=False)
