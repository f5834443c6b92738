"""Apply a tuned model of personal expression to everyone held out, and to every variant that people carry."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.training.personal import open_windows, predict

    torch.set_num_threads(snakemake.threads)
    files, settings = snakemake.input, snakemake.params.settings
    examples = pd.read_parquet(files.examples)
    predict(
        Path(files.model),
        examples,
        open_windows(settings["task"], files.store, files.fasta, examples),
        Path(snakemake.output.predictions).parent,
        Path("results") / settings["study"] / "states",
    )
