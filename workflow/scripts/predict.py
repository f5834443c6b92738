"""Apply a tuned model to the held-out windows and write its tracks."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.training.predict import predict_tracks

    torch.set_num_threads(snakemake.threads)
    predict_tracks(
        Path(snakemake.input.model),
        pd.read_parquet(snakemake.input.examples),
        snakemake.input.fasta,
        Path(snakemake.output.predictions).parent,
    )
