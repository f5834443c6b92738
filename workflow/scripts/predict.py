"""Apply the model of a run to what was held out."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.provenance import write_run
    from glmflow.training.predict import predict

    torch.set_num_threads(snakemake.threads)
    settings = snakemake.params.settings
    if snakemake.output.get("run"):  # of a model as it is: nothing was trained before
        write_run(settings, snakemake.output.run)
    predict(
        settings,
        pd.read_parquet(snakemake.input.examples),
        input_files(snakemake.input),
        Path(snakemake.input.model),
        Path(snakemake.output.predictions).parent,
        Path("results") / settings["study"] / "states",
    )
