"""Compare all runs of a task with each other."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow import tasks
    from glmflow.comparing.comparison import compare_runs
    from glmflow.files import atomic_path, read_table, write_table
    from glmflow.modules import module
    from glmflow.statistics.stored import load_scores

    files, params = snakemake.input, snakemake.params
    stored = [load_scores(f"{folder}/units.npz") for folder in files.scores]
    found = compare_runs(params.runs, stored, params.control)
    tables = {"notes.tsv": found.notes, "warnings.tsv": found.warnings, "differences.tsv": found.differences}
    if params.compares:
        tables["pairs.tsv"] = module(tasks.__name__, params.kind).compare(
            pd.read_parquet(files.examples),
            list(map(read_table, files.metrics)),
            list(map(pd.read_parquet, files.predictions)),
        )
    with atomic_path(snakemake.output.tables) as folder:
        folder.mkdir()
        for name, table in tables.items():
            write_table(table, folder / name)
    write_table(found.rows, snakemake.output.comparison)
