"""Keep the trial of a sweep whose validation loss is lowest."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.training.sweep import choose

    choose(
        [Path(path).parent for path in snakemake.input.models],
        snakemake.params.trials,
        Path(snakemake.output.sweep).parent,
    )
