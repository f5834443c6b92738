"""Fit a model to personal expression."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.provenance import write_run
    from glmflow.training.personal import finetune, open_windows

    torch.set_num_threads(snakemake.threads)
    files, settings = snakemake.input, snakemake.params.settings
    write_run(settings, snakemake.output.run)
    finetune(
        settings,
        pd.read_parquet(files.examples),
        open_windows(settings["task"], files.store, files.fasta),
        files.get("checkpoint") or None,
        [files.fasta, files.store],
        Path(snakemake.output.metrics).parent,
    )
