"""Settings of runs on the tiny cohort that take a second."""

from glmflow.config.adaptations import Adaptation
from glmflow.config.settings import adaptation_settings
from glmflow.config.tasks.snp2gex import Snp2gex

SIZE, CONTIG = 300, 20_000
TRAIN = {"optimizer": "adamw", "learning_rate": 0.01, "steps": 2, "batch": 2, "micro_batch": 1, "evaluations": 1}
CNN = {"new": {"family": "promoter_cnn", "config": {"filters": 4, "channels": 8}}}
SMALL = {"new": {"family": "small", "config": {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 512}}}
ADAPTATIONS = {
    "full": (
        CNN,
        {"kind": "full", "loss": "mixed", "personal": {"shift": 5}, "train": TRAIN | {"reverse_complement": True}},
    ),
    "lora": (
        SMALL,
        {
            **{"kind": "lora", "weights": "random", "rank": 2, "targets": ["query", "up"]},
            **{"loss": "pairwise", "personal": {"people": 3}, "train": TRAIN},
        },
    ),
    "probe": (SMALL, {"kind": "probe", "weights": "random", "loss": "single", "train": TRAIN}),
}


def settings_of(model, adaptation, size=SIZE, **task):
    """Return the resolved settings of a run."""
    block = Snp2gex(kind="snp2gex", windows={"size": size}, **task)
    labels = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
    return {
        **labels,
        "task": block.model_dump(mode="json"),
        "model": model,
        "adaptation": adaptation_settings(Adaptation.model_validate(adaptation), block),
    }
