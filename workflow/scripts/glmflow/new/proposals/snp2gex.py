"""Expression of genes in samples is proposed for a matrix of it with genotypes, genes and genome: --expression --vcf
--gtf --fasta.
"""

from __future__ import annotations

from glmflow.checks.units import matrix_facts
from glmflow.errors import InputError
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed, low_rank
from glmflow.tasks.snp2gex.expression_matrix import read_expression

PUBLISHED = ("nucleotide-transformer-v2-500m", "caduceus-ph-131k")
FEW = 30
"""Samples below which differences between samples are hardly learned."""
ON_A_LOG_SCALE = ("logarithms", "logarithms of logarithms", "centred")


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return expression of seen and unseen genes in seen and unseen samples, with linear models and two controls."""
    if found.expression is None or found.peak_table:
        return None
    lacking = [
        flag for flag, given in (("--fasta", found.fasta), ("--vcf", found.vcf), ("--gtf", found.gtf)) if not given
    ]
    if lacking:
        raise InputError(
            f"a matrix of expression needs genome, genotypes and genes: {', '.join(lacking)} is missing",
            where=found.expression,
            fix="Give it as well.",
        )
    values = read_expression(found.expression).values
    shared = [name for name in values.columns if name in set(found.samples)]
    if not shared:
        raise InputError(
            f"no sample of it is in the VCF: it has {', '.join(values.columns[:3])}, the VCF {', '.join(found.samples[:3])}",
            where=found.expression,
            fix="Name the samples alike.",
        )
    unit = matrix_facts(values.to_numpy(), list(values.columns)).unit
    window = 32_768 if machine.gpu else 2048
    guesses = [
        f"expression: {len(values):,} genes, {len(shared):,} of {values.shape[1]:,} samples have genotypes; unit: {unit}",
        f"windows of {window:,} bp around each TSS" + ("" if machine.gpu else ", short because there is no GPU"),
        "a third of the samples and all genes of the held-out contigs are never seen in training",
    ]
    if len(shared) < FEW:
        guesses.append(f"{len(shared)} samples are few: differences between samples will hardly be learned")
    task = {
        "kind": "snp2gex",
        "windows": {"size": window},
        "expression": found.expression,
        "preprocessing": {"log": unit not in ON_A_LOG_SCALE},
        "people": {"validation": 0.05, "test": 0.33},
    }
    scratch = {
        "kind": "full",
        "head": {"bins": 150},
        "train": {
            "optimizer": "adamw",
            "learning_rate": 6.0e-3,
            "warmup": 0.3,
            "epochs": 60,
            "batch": 8,
            "micro_batch": 8,
        },
        "loss": "mixed",
        "personal": {"people": 64, "shift": 20},
    }
    lora = low_rank(epochs=20, batch=8) | {
        "head": {"bins": 64},
        "loss": "mixed",
        "personal": {"people": 12, "shift": 3},
    }
    models = listed(*PUBLISHED)
    simple = baselines(
        *("gene_mean", "top_variant", "elastic_net", "nearest_haplotype", "nearest_training", "kmer_ridge_haplotypes")
    )
    settings = {
        "tasks": {
            "expression": task,
            "permuted": {**task, "control": "permuted_people"},
            "reference_only": {**task, "control": "reference"},
        },
        "models": {"promoter_cnn": {"new": {"family": "promoter_cnn"}}, **simple, **models},
        "adaptations": {"mixed": scratch, **BASELINE, "lora_people": lora},
        "runs": [
            {"tasks": ["expression"], "models": ["promoter_cnn"], "adaptations": ["mixed"], "seeds": [1, 2, 3]},
            {"tasks": ["permuted", "reference_only"], "models": ["promoter_cnn"], "adaptations": ["mixed"]},
            {"tasks": ["expression"], "models": list(simple), "adaptations": ["baseline"]},
            {"tasks": ["expression"], "models": list(models), "adaptations": ["lora_people"]},
        ],
    }
    comments = {
        (
            "tasks",
            "expression",
            "preprocessing",
        ): f"The values look like this: {unit}. `log: true` takes their logarithm; "
        "`tpm: true` first makes every sample sum to a million; `hidden_factors` removes principal components.",
        ("tasks", "permuted"): "Control: expression shuffled between samples within each gene.",
        ("tasks", "reference_only"): "Control: everyone carries the reference sequence.",
        ("models", "gene_mean"): "Linear models are hard to beat for seen genes (docs/snp2gex.md).",
    }
    return Draft(settings, comments, guesses, list(models))
