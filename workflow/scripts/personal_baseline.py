"""Fit a baseline of personal expression on training people and predict everyone held out."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.baselines.personal import run_personal_baseline
    from glmflow.files import read_table
    from glmflow.provenance import write_run
    from glmflow.training.personal import open_windows

    files, settings = snakemake.input, snakemake.params.settings
    examples = pd.read_parquet(files.examples)
    people = read_table(files.people)
    populations = dict(zip(people["sample"], people["population"])) if "population" in people else {}
    write_run(settings, snakemake.output.run)
    run_personal_baseline(
        settings,
        examples,
        open_windows(settings["task"], files.store, files.fasta, examples),
        populations,
        Path(snakemake.output.predictions).parent,
        snakemake.threads,
    )
