"""Pretrain a small text model on the training questions of a task."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.config.text_blocks import TextPretraining
    from glmflow.files import atomic_path, read_table
    from glmflow.training.text_pretraining import pretrain_text

    torch.set_num_threads(snakemake.threads)
    classes = read_table(Path(snakemake.input.tables) / "classes.tsv")["class"].astype(str).tolist()
    settings = TextPretraining(**snakemake.params.settings)
    with atomic_path(snakemake.output.folder) as folder:
        folder.mkdir()
        pretrain_text(settings, pd.read_parquet(snakemake.input.examples), classes, folder)
