"""Pretrain a small model on the training regions."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    import torch
    from glmflow.training.loop.distributed import call
    from glmflow.training.pretrain import pretrain
    from glmflow.training.pretraining_source import source

    torch.set_num_threads(snakemake.threads)
    settings, folder = snakemake.params.settings, Path(snakemake.output.metrics).parent
    arguments = {
        "settings": settings,
        "source": source(input_files(snakemake.input), settings),
        "seed": int(snakemake.wildcards.seed),
        "folder": folder,
        "model_folder": Path(snakemake.output.model),
    }
    call(pretrain, arguments, settings["gpus"], 1, folder)
