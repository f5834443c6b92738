"""Score the predictions of a run."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    import pandas as pd
    from glmflow import tasks
    from glmflow.files import atomic_path, write_table
    from glmflow.modules import module
    from glmflow.statistics.stored import save_scores
    from glmflow.tasks.comparable import with_intervals

    settings = snakemake.params.settings
    scored = module(tasks.__name__, settings["task"]["kind"]).score(
        settings,
        pd.read_parquet(snakemake.input.examples),
        pd.read_parquet(snakemake.input.predictions),
        Path(snakemake.input.predicted),
        input_files(snakemake.input),
    )
    with atomic_path(snakemake.output.scores) as folder:
        folder.mkdir()
        for name, table in scored.tables.items():
            if isinstance(table, str):
                (folder / name).write_text(table, encoding="utf-8")
            else:
                write_table(table, folder / name)
        save_scores(scored.units, folder / "units.npz")
    write_table(with_intervals(scored.metrics, scored.units), snakemake.output.metrics)
