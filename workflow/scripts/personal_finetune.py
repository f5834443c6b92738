"""Fit a model to personal expression."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.provenance import write_run
    from glmflow.training.distributed import call
    from glmflow.training.personal import finetune_files
    from glmflow.training.sweep import may_fail

    torch.set_num_threads(snakemake.threads)
    files, settings = snakemake.input, snakemake.params.settings
    write_run(settings, snakemake.output.run)
    folder = Path(snakemake.output.metrics).parent
    train = settings["adaptation"]["train"]
    arguments = {
        "settings": settings,
        "examples": pd.read_parquet(files.examples),
        "store": files.store,
        "reference": files.fasta,
        "checkpoint": files.get("checkpoint") or None,
        "folder": folder,
        "states": Path("results") / settings["study"] / "states",
    }
    with may_fail("trial" in snakemake.wildcards.keys(), folder):  # noqa: SIM118
        call(finetune_files, arguments, train["gpus"], train["nodes"], folder)
