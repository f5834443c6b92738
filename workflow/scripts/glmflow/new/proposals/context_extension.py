"""How far back a model makes use of its context is proposed for a genome alone: --fasta."""

from __future__ import annotations

from glmflow.errors import InputError
from glmflow.new.draft import Draft
from glmflow.new.found_files import FoundFiles
from glmflow.new.machine import Machine

CONTEXTS = (128, 256, 512, 1024, 2048)
LEAST = 100_000
"""Bases of a genome that a small model learns anything from."""


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return a small model pretrained here on 128 bases, and four ways of extending it to 2,048."""
    if (
        not found.fasta
        or found.vcf
        or found.bigwig
        or found.expression
        or found.bed
        or found.table_path
        or found.motifs
    ):
        return None
    total = sum(found.contigs.values())
    if total < LEAST:
        raise InputError(
            f"a genome of {total:,} bases is too small to learn from",
            where=found.fasta,
            fix="Give a longer one, or other files beside it (--bigwig, --table, ...).",
        )
    pretrain = {"length": CONTEXTS[0], "steps": 600, "batch": 64, "learning_rate": 5.0e-3}
    base = {"pretrain": {"family": "small", "config": {"causal": False, "context": CONTEXTS[0]}, **pretrain}}
    ways = {
        name: {"extend": {"model": "base", "method": name, "factor": CONTEXTS[-1] // CONTEXTS[0]}}
        for name in ("none", "pi", "ntk", "yarn")
    }
    settings = {
        "tasks": {
            "context": {
                "kind": "context_extension",
                "contexts": list(CONTEXTS),
                "scored": 96,
                "examples": 48,
                "repeat_k": 10,
                "recall": {"segment": 64, "distances": [64, 256, 512, 1024, 1800], "trials": 10},
            }
        },
        "models": {"base": base, **ways},
        "adaptations": {"as_it_is": {"kind": "zero-shot"}},
        "runs": [{"tasks": ["context"], "models": list(ways), "adaptations": ["as_it_is"], "seeds": [1, 2, 3]}],
    }
    comments = {
        (
            "models",
            "base",
        ): "Pretrained here on the training contigs. A published model instead: {checkpoint: genos-1.2b} "
        "(config/models.yaml), with contexts that begin with its own (config/studies/context_*.yaml).",
        ("models", "none"): "Without any change of its positions: what the others are compared with.",
    }
    guesses = ["a genome alone: how a language model makes use of longer context is what can be measured with it"]
    return Draft(settings, comments, guesses)
