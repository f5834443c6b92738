"""Keep the trial of a sweep that is best on validation."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.training.sweep import choose

    choose(
        [Path(path).parent for path in snakemake.input.models],
        snakemake.params.trials,
        Path(snakemake.output.sweep).parent,
        snakemake.params.best_by,
    )
