"""Simulate a genome of genes without introns."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.config.simulation import Coding
    from glmflow.simulate.coding_genome import simulate_coding

    made, settings = snakemake.output, Coding.model_validate(snakemake.params.settings)
    hazards = Path(made.hazards) if settings.hazard_bp else None
    simulate_coding(settings, Path(made.fasta), Path(made.panel), hazards)
