"""A table of sequences of two classes, of which one holds a motif, and a study of runs on it that take a second."""

import numpy as np
import pandas as pd
from glmflow.config import check_study, expand_runs, run_settings
from glmflow.files import write_table
from glmflow.tasks import sequences
from glmflow.tasks.tables import Division

MOTIF = "TATAAGCTATAAGC"
SPLITS = ["train"] * 160 + ["validation"] * 20 + ["test"] * 60
SMALL = {"family": "small", "config": {"hidden_size": 64, "num_heads": 2, "num_layers": 2, "convolution": 9}}
TRAIN = {"optimizer": "adamw", "batch": 32, "micro_batch": 32, "evaluations": 1}
MODELS = {
    "cnn": {"new": {"family": "promoter_cnn", "config": {"filters": 16, "channels": 16}}},
    "small": {"new": SMALL},
    "majority": {"baseline": "majority"},
    "kmers": {"baseline": {"kind": "kmer_logistic", "k": 3}},
}
ADAPTATIONS = {
    "full": {"kind": "full", "train": {**TRAIN, "learning_rate": 0.01, "steps": 60, "reverse_complement": True}},
    "probe": {
        **{"kind": "probe", "weights": "random", "head": {"pool": "max"}},
        "train": {**TRAIN, "learning_rate": 0.1, "steps": 300},
    },
    "baseline": {"kind": "baseline"},
}


def toy_table():
    """Return sequences of 40 to 60 bases; every second one holds the motif on either strand."""
    rng = np.random.default_rng(0)
    rows = []
    for number, split in enumerate(SPLITS):
        bases = rng.choice(list("ACGT"), rng.integers(40, 61))
        if number % 2:
            start = rng.integers(0, len(bases) - len(MOTIF))
            bases[start : start + len(MOTIF)] = list(MOTIF)
        rows.append(("".join(bases), "with" if number % 2 else "without", split))
    return pd.DataFrame(rows, columns=["sequence", "label", "split"])


def toy_study(folder):
    """Return the study, the resolved settings of its runs by model and adaptation, examples, and files."""
    table = folder / "toy.tsv"
    toy_table().to_csv(table, sep="\t", index=False)
    study = check_study(
        {
            "study": "s",
            "tasks": {"toy": {"kind": "sequences", "table": str(table), "length": 64, "bootstrap": 20}},
            "models": MODELS,
            "adaptations": ADAPTATIONS,
            "runs": [
                {"tasks": ["toy"], "models": ["cnn", "small"], "adaptations": ["full", "probe"]},
                {"tasks": ["toy"], "models": ["majority", "kmers"], "adaptations": ["baseline"]},
            ],
        }
    )
    settings = {(run.model, run.adaptation): run_settings(study, run) for run in expand_runs(study)[0]}
    made = sequences.examples(study.tasks["toy"], {"table": str(table)}, Division())
    for name, facts in made.facts.items():
        write_table(facts, folder / "tables" / name)
    return study, settings, made.table, {"tables": str(folder / "tables")}
