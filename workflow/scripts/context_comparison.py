"""Compare every two models of a context task, paired by seed, or by window where they share one seed only."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import read_table, write_table
    from glmflow.tasks.context_comparison import compare_all
    from glmflow.tasks.context_extension import cells

    tables = [read_table(path) for path in snakemake.input.metrics]
    examples = pd.read_parquet(snakemake.input.examples)
    windows = {
        (table["model"].iloc[0], table["seed"].iloc[0]): list(cells(examples, pd.read_parquet(predictions)))
        for table, predictions in zip(tables, snakemake.input.predictions)
    }
    write_table(compare_all(pd.concat(tables), windows=windows), snakemake.output.comparison)
