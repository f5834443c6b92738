"""Pretrain a small model on the training regions."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import torch
    from glmflow.files import read_table
    from glmflow.training.distributed import call
    from glmflow.training.pretrain import pretrain

    torch.set_num_threads(snakemake.threads)
    settings, folder = snakemake.params.settings, Path(snakemake.output.metrics).parent
    arguments = {
        "settings": settings,
        "regions": read_table(snakemake.input.regions),
        "reference": snakemake.input.fasta,
        "seed": int(snakemake.wildcards.seed),
        "folder": folder,
        "model_folder": Path(snakemake.output.model),
    }
    call(pretrain, arguments, settings["gpus"], 1, folder)
