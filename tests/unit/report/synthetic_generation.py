"""A made-up study of generated sequences and completed genes: few real pieces and controls, measured, and scores from nowhere."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
from glmflow.likeness.along_length import along_length
from glmflow.likeness.compared_groups import beside_real, real_pieces, real_side

_spec = importlib.util.spec_from_file_location("synthetic_kinds", Path(__file__).with_name("synthetic_kinds.py"))
kinds = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kinds)
study = kinds.synthetic_study

MODELS = {
    "small": ({"pretrain": {"family": "small", "steps": 100}}, "zero-shot", (0.25, 0.25, 0.25, 0.25)),
    "chain": ({"baseline": {"kind": "markov_chain", "order": 5}}, "baseline", (0.35, 0.15, 0.15, 0.35)),
}
SCORES = {"small": 4.0, "chain": 2.0, "nearest": 60.0}
GENES = ["rpoS", "dnaK"]
GATE = {"acknowledged": None, "aligned": True}


def drawn(length, generator, shares=(0.25, 0.25, 0.25, 0.25)):
    return "".join(generator.choice(list("ACGT"), length, p=shares))


def make_generated_study(folder):
    """Sequences of two models in two ways, one of which was blocked whole; genes of three."""
    results = study.make_study(folder, runs=study.RUNS[-3:], seeds=(1,), genes_per_contig=6)
    add_generated(results, "generated")
    add_genes(results, "genes")
    study.comparisons().write_comparisons(results)
    return results


def add_generated(results, task):
    generator = np.random.default_rng(1)
    held_out, training = (["".join(drawn(500, generator) for _ in range(15))] for _ in range(2))
    real = real_side(real_pieces(held_out, training, {}, 500, 4, generator), training, 500)
    settings = {"kind": "generation", "length": 500, "ways": {"cold": {}, "warm": {}}, "gate": {"hazards": ["h.fa"]}}
    for model, (origin, kind, shares) in MODELS.items():
        run, names = kinds._run(results, task, model, kind, 1, settings, origin)
        records = [(f"place_{n}", drawn(500, generator, shares)) for n in range(3)] + [("copy", training[0][500:1000])]
        found = beside_real(records, real, 50, generator)
        tables = {
            "validation": found.values,
            "memorisation": found.copies.assign(threshold=found.threshold),
            "findings": pd.DataFrame({"finding": found.findings}),
            "along": along_length(
                {"generated": [drawn(1000, generator, shares) for _ in range(3)], "real, held out": held_out}
            ),
            **found.pictures._asdict(),
        }
        for name, table in tables.items():
            table.assign(way="warm").to_csv(run / f"scores/{name}.tsv", sep="\t", index=False)
        tags = [("warm", "rich", "division", 2, group, 0.75, 0.5, 1.0, 4) for group in ("generated", "real, held out")]
        columns = ["way", "tag", "column", "tags", "group", "recovered", "low", "high", "n"]
        recovered = pd.DataFrame(
            {"way": "warm", "group": ["generated", "Markov-5, the likeliest"], "recovered": [0.4, 0.3]}
        )
        more = {
            "low": 0.2,
            "high": 0.5,
            "beyond": [np.nan, 0.1],
            "beyond_low": [np.nan, 0.0],
            "beyond_high": [np.nan, 0.2],
        }
        recovered.assign(**more, n=8, bases=30).to_csv(run / "scores/recovered.tsv", sep="\t", index=False)
        shown = pd.DataFrame({"way": "warm", "group": ["generated", "real, held out"], "order": 0, "side": 20})
        shown = shown.assign(bases=[drawn(400, generator, shares), held_out[0][:400]])
        shown.to_csv(run / "scores/squares.tsv", sep="\t", index=False)
        pd.DataFrame(tags, columns=columns).to_csv(run / "scores/tags.tsv", sep="\t", index=False)
        blocked = pd.DataFrame({"finding": ["Fewer than three pieces were released."], "way": "cold"})
        blocked.to_csv(run / "scores/findings.tsv", sep="\t", index=False, mode="a", header=False)
        for way, released in (("warm", 4), ("cold", 0)):
            record = {"gate": GATE, "audit_head": "0a" * 32, "blocked_of_random": 0.05}
            record["counts"] = {"drawn": 4, "blocked": 4 - released, "released": released}
            (run / "predicted" / way).mkdir()
            (run / "predicted" / way / "generation.json").write_text(json.dumps(record))
        own = found.values[found.values["group"] == "generated"].set_index("statistic")
        rows = [
            ("test", "warm", 500, name, own.loc[name, "value"], 0.01, 4) for name in own.index if name != "judge_bits"
        ]
        rows += [("test", "warm", 500, "copied", 0.25, np.nan, 4), ("test", "warm", 500, "differing", 1, np.nan, 2)]
        rows += [("test", way, 500, "released", share, np.nan, 4) for way, share in (("warm", 1.0), ("cold", 0.0))]
        study.write_metrics(run, rows, **names)
    study.write_examples(results, task, [("prompts", 4)], [("prompts with a near copy in training", 1, 4, "yes")])


def add_genes(results, task):
    settings = {"kind": "gene_completion", "samples": 20}
    origins = {model: own[:2] for model, own in MODELS.items()} | {
        "nearest": ({"baseline": {"kind": "nearest_protein"}}, "baseline")
    }
    for model, (origin, kind) in origins.items():
        run, names = kinds._run(results, task, model, kind, 1, settings, origin)
        score = SCORES[model]
        rows = [("test", "all", 4096, "strict", score, 1.0, 2), ("test", "all", 4096, "official", score + 40, 2.0, 2)]
        rows.append(("test", "all", 4096, "unscored", 0.1, np.nan, 40))
        study.write_metrics(run, rows, **names)
        table = pd.read_csv(run / "metrics.tsv", sep="\t")
        of_genes = [
            table[table["metric"] != "unscored"].assign(track=gene, value=lambda own, by=place: own["value"] + by)
            for place, gene in enumerate(GENES)
        ]
        pd.concat([table, *of_genes]).to_csv(run / "metrics.tsv", sep="\t", index=False)
    study.write_examples(results, task, [("genes", 2)], [("genes that training holds half of", 1, 2, "yes")])
    table = pd.DataFrame({"gene": GENES, "organism": "Escherichia coli", "held": [0.6, 0.0]})
    table.to_csv(results / f"examples/{task}/genes.tsv", sep="\t", index=False)
