"""Simulate a genome in which far context helps."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.config.simulation import Repeats
    from glmflow.simulate.repeat_genome import simulate_genome

    made, settings = snakemake.output, Repeats.model_validate(snakemake.params.settings)
    simulate_genome(settings, Path(made.fasta), Path(made.truth))
