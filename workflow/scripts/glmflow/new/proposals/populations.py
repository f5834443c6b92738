"""The population of haplotypes is proposed for phased genotypes and a table of samples: --vcf --fasta --table (columns
`sample`, `population`).
"""

from __future__ import annotations

from pathlib import Path

from glmflow.errors import InputError
from glmflow.new.divisions import divide, window_bp
from glmflow.new.draft import BASELINE, Draft
from glmflow.new.found_files import FoundFiles
from glmflow.new.machine import Machine
from glmflow.new.recipes import baselines, listed, low_rank, small_network
from glmflow.tasks.populations.population_samples import FEWEST, read_samples

PUBLISHED = ("nucleotide-transformer-v2-500m", "caduceus-ph-131k")
CLASSES = ("population", "pop", "population_code", "superpopulation", "super_pop", "superpopulation_code", "ancestry")
LONGEST = 8192
WINDOWS = 16
"""Windows that haplotypes are told apart in, over all contigs."""


def propose(found: FoundFiles, machine: Machine) -> Draft | None:
    """Return the population of each haplotype, the same where everyone carries the reference, and what alleles alone tell."""
    table = found.table
    column = None if table is None else table.column(*CLASSES)
    if table is None or column is None or not found.vcf or table.column("ref"):
        return None
    if not found.samples:
        raise InputError(
            "no genotypes: haplotypes of the samples are asked for", where=found.vcf[0], fix="Give a phased VCF."
        )
    window, guesses = window_bp(found.contigs, LONGEST), said(table.path, column, found.samples)
    used = divide(found.contigs, window).contigs or list(found.contigs)
    task = {
        "kind": "populations",
        "samples": table.path,
        "column": column,
        "windows": {"size": window, "densest": min(4, max(1, WINDOWS // len(used)))},
    }
    simple = baselines("majority", "kmer_logistic", "allele_logistic", "nearest_haplotype_class", "alt_count")
    models = listed(*PUBLISHED)
    of_haplotypes = small_network(batch=32)
    settings = {
        "tasks": {"origin": task, "origin_reference": {**task, "control": "reference"}},
        "models": {"cnn_of_haplotypes": {"new": {"family": "promoter_cnn"}}, **simple, **models},
        "adaptations": {"of_haplotypes": of_haplotypes, **BASELINE, "lora_of_haplotypes": low_rank(epochs=3, batch=32)},
        "runs": [
            {
                "tasks": ["origin"],
                "models": ["cnn_of_haplotypes"],
                "adaptations": ["of_haplotypes"],
                "seeds": [1, 2, 3],
            },
            {"tasks": ["origin", "origin_reference"], "models": list(simple), "adaptations": ["baseline"]},
            {"tasks": ["origin"], "models": list(models), "adaptations": ["lora_of_haplotypes"], "seeds": [1, 2, 3]},
        ],
    }
    comments = {
        ("tasks", "origin", "windows"): "The windows of each contig with most variants; `regions:` names them instead.",
        (
            "tasks",
            "origin_reference",
        ): "Control: everyone carries the reference sequence; every model has to be at chance.",
        (
            "models",
            "allele_logistic",
        ): "What the alleles alone tell: a model of the sequence has to beat it to be of use.",
    }
    return Draft(settings, comments, guesses, list(models))


def said(path: str, column: str, genotyped: list[str]) -> list[str]:
    """Return what was guessed of a table of samples.

    Raises
    ------
    InputError
        It names no samples, or fewer than two classes have enough samples with genotypes.
    """
    table = read_samples(Path(path), column)
    known = table[table["sample"].isin(set(genotyped)) & table[column].notna()]
    sizes = known[column].value_counts()
    enough = sizes[sizes >= FEWEST]
    if len(enough) < 2:
        has = ", ".join(f"{name} {count}" for name, count in sizes.head(6).items()) or "none of the VCF's samples"
        raise InputError(
            f"fewer than two classes of column {column!r} have {FEWEST} samples with genotypes: {has}",
            where=path,
            fix="Give samples of two populations, named as in the VCF.",
        )
    guesses = [
        f"column {column!r} holds {len(enough)} populations with {FEWEST} genotyped samples or more, equally many "
        f"({enough.min()}) of each are drawn",
        f"{len(known):,} of {len(genotyped):,} genotyped samples have one",
    ]
    others = [str(name) for name in table.columns if name != column and str(name).lower() in CLASSES]
    if others:
        guesses.append(f"{', '.join(others)} could be predicted instead: `column:`")
    if "family" not in table:
        guesses.append("no column of families: relatives, if there are any, may be in training and test at once")
    return guesses
