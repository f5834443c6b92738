"""Download a published checkpoint."""

from scriptlog import logged

with logged(snakemake, online=True) as terminal:
    from glmflow.fetching.hub_checkpoints import prefetch

    prefetch(snakemake.params.id, snakemake.params.revision, snakemake.output.folder, terminal)
