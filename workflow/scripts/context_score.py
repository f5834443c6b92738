"""Score the losses of a model: loss by context, worth of a copy by distance."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import write_table
    from glmflow.tasks.context_extension import score
    from glmflow.tasks.tables import metrics_table

    settings = snakemake.params.settings
    rows = score(
        pd.read_parquet(snakemake.input.examples),
        pd.read_parquet(snakemake.input.predictions),
        settings["task"]["bootstrap"],
    )
    keys = {name: settings[f"{name}_label"] for name in ("task", "model", "adaptation")}
    table = metrics_table(rows, study=settings["study"], seed=settings["seed"], split="test", **keys)
    write_table(table, snakemake.output.metrics)
