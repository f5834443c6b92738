"""Fit a model to a task."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.provenance import write_run
    from glmflow.training.finetune import finetune
    from glmflow.training.loop.distributed import call
    from glmflow.training.sweep import may_fail

    torch.set_num_threads(snakemake.threads)
    settings = snakemake.params.settings
    write_run(settings, snakemake.output.run)
    folder = Path(snakemake.output.metrics).parent
    train = settings["adaptation"]["train"]
    arguments = {
        "settings": settings,
        "examples": pd.read_parquet(snakemake.input.examples),
        "files": input_files(snakemake.input),
        "checkpoint": snakemake.input.get("checkpoint") or None,
        "folder": folder,
        "states": Path("results") / settings["study"] / "states",
    }
    with may_fail("trial" in snakemake.wildcards.keys(), folder):  # noqa: SIM118
        call(finetune, arguments, train["gpus"], train["nodes"], folder)
