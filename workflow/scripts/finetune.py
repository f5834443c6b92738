"""Fit a model to a track task."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.files import read_table
    from glmflow.provenance import write_run
    from glmflow.training.distributed import call
    from glmflow.training.finetune import finetune
    from glmflow.training.sweep import may_fail

    torch.set_num_threads(snakemake.threads)
    settings = snakemake.params.settings
    statistics = read_table(snakemake.input.statistics).set_index("track")
    write_run(settings, snakemake.output.run)
    folder = Path(snakemake.output.metrics).parent
    train = settings["adaptation"]["train"]
    arguments = {
        "settings": settings,
        "examples": pd.read_parquet(snakemake.input.examples),
        "reference": snakemake.input.fasta,
        "tracks": dict(zip(settings["tracks"], snakemake.input.tracks)),
        "track_means": statistics["track_mean"].to_dict(),
        "store": snakemake.input.get("store") or None,
        "samples": snakemake.input.get("samples") or None,
        "checkpoint": snakemake.input.get("checkpoint") or None,
        "folder": folder,
    }
    with may_fail("trial" in snakemake.wildcards.keys(), folder):  # noqa: SIM118
        call(finetune, arguments, train["gpus"], train["nodes"], folder)
