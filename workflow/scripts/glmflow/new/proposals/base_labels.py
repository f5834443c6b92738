"""The class of every base is proposed for one BED file of named spans (column 4) with the genome: --bed --fasta."""

from __future__ import annotations

from glmflow.new.divisions import window_bp
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles, segmented
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed, low_rank, small_network

PUBLISHED = ("caduceus-ph-131k", "nucleotide-transformer-v2-500m")
LONGEST = 4096
"""Longest window that is proposed: most exons, promoters and repeats end within it."""
MOST_CLASSES = 30
"""Names beyond which spans are named one by one, and not by class."""


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return the class of every base of windows of the genome, k-mers around a base as its explanation, and a control."""
    spans = found.intervals[found.bed[0]] if len(found.bed) == 1 and not found.table_path else []
    names = sorted({span.name for span in spans})
    if not spans or not names[0] or len(names) > MOST_CLASSES:
        return None
    window = window_bp(found.contigs, LONGEST)
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    guesses = [
        f"column 4 of {found.bed[0]} names the class of each base within a span ({shown}); all other bases are `none`",
        f"windows of {window:,} bp; training windows without a span are left out",
    ]
    if background := next((name for name in names if name.lower() in ("none", "background", "other")), None):
        guesses.append(f"spans are named {background!r} too: bases outside all spans are of that class")
    task = {
        "kind": "base_labels",
        "segments": found.bed[0],
        "windows": {"size": window, "labelled_only": True},
        **({"background": background} if background else {}),
    }
    scratch = small_network(batch=32, reverse_complement=True)
    lora = low_rank(epochs=2, batch=32, reverse_complement=True)
    simple = baselines("majority", "codon_period", base_kmers={"kind": "base_kmers", "around": 8})
    models = listed(*PUBLISHED)
    settings = {
        "tasks": {"bases": task, "bases_permuted": {**task, "control": "permuted_labels"}},
        "models": {"cnn_of_bases": {"new": {"family": "promoter_cnn"}}, **simple, **models},
        "adaptations": {"of_bases": scratch, **BASELINE, "lora_of_bases": lora},
        "runs": [
            {"tasks": ["bases"], "models": ["cnn_of_bases"], "adaptations": ["of_bases"], "seeds": [1, 2, 3]},
            {"tasks": ["bases_permuted"], "models": ["cnn_of_bases"], "adaptations": ["of_bases"]},
            {"tasks": ["bases"], "models": list(simple), "adaptations": ["baseline"]},
            {"tasks": ["bases"], "models": list(models), "adaptations": ["lora_of_bases"], "seeds": [1, 2, 3]},
        ],
    }
    comments = {
        ("tasks", "bases"): "Both strands share the classes; `by_strand: true` gives spans of the - strand their own. "
        "`bin: 16` predicts bins of 16 bases.",
        ("tasks", "bases_permuted"): "Control: training windows exchange their labels; a model has to be at chance.",
        ("models", "majority"): "Simple explanations: the commonest class, the letters around a base, period three.",
    }
    second = "" if len(names) == 1 or segmented(spans) else "spans inside the genome, whose every base has a class"
    return Draft(settings, comments, guesses, list(models), second)
