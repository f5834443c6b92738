"""Windows with more variants than others are proposed for a VCF, with or without genotypes: --vcf --fasta."""

from __future__ import annotations

from glmflow.new.divisions import window_bp
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed, low_rank, small_network

PUBLISHED = ("nucleotide-transformer-v2-500m", "caduceus-ph-131k")
LONGEST = 8192
"""Windows as published have this length."""


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return the windows with most variants against others, their composition and neighbours as explanations, a control."""
    if not found.vcf:
        return None
    genotyped = bool(found.samples)  # checks that the VCF is of the genome
    window = window_bp(found.contigs, LONGEST)
    guesses = [
        f"{', '.join(found.vcf)}: the alleles of {'a cohort' if genotyped else 'sites without genotypes'} are counted in "
        f"windows of {window:,} bp; the tenth with most variants are hotspots",
        "no mask is given: where variants cannot be called (`reference.blacklist`), there are few for that reason alone",
    ]
    task = {
        "kind": "hotspots",
        **({} if genotyped else {"vcf": list(found.vcf)}),
        "windows": {"size": window},
        "test": "top_share",
        "share": 0.1,
    }
    simple = baselines("majority", "gc_only", "n_fraction", "cpg_only", "kmer_logistic", "neighbour_count")
    models = listed(*PUBLISHED)
    settings = {
        "tasks": {"density": task, "density_permuted": {**task, "control": "permuted_labels"}},
        "models": {"cnn_of_windows": {"new": {"family": "promoter_cnn"}}, **simple, **models},
        "adaptations": {
            "of_windows": small_network(batch=32),
            **BASELINE,
            "lora_of_windows": low_rank(epochs=3, batch=32),
        },
        "runs": [
            {"tasks": ["density"], "models": ["cnn_of_windows"], "adaptations": ["of_windows"], "seeds": [1, 2, 3]},
            {"tasks": ["density"], "models": list(simple), "adaptations": ["baseline"]},
            {"tasks": ["density_permuted"], "models": ["kmer_logistic"], "adaptations": ["baseline"]},
            {"tasks": ["density"], "models": list(models), "adaptations": ["lora_of_windows"], "seeds": [1, 2, 3]},
        ],
    }
    comments = {
        (
            "tasks",
            "density",
            "test",
        ): "`top_share`: always some hotspots. `poisson`: as published, by the false discovery "
        "rate `q`; counts vary more than that, so that many windows pass. `negative_binomial`: with the variance they have.",
        ("tasks", "density_permuted"): "Control: training labels change places, again with each seed.",
        ("models", "neighbour_count"): "Variants of the windows beside: what no model of the sequence alone can know.",
    }
    alone = not (found.bigwig or found.expression or found.table_path or found.bed)
    labelled = not genotyped and "CLNSIG" in found.info_fields
    second = "" if alone and not labelled else "variants that are counted in windows of the genome"
    return Draft(settings, comments, guesses, list(models), second)
