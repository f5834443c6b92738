"""Simulate a cohort, from nothing or over real data."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.simulate import simulate

    simulate(snakemake.params.settings, Path(snakemake.output.fasta).parent)
