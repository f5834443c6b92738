"""Compare every two models of a context task, paired by seed."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import read_table, write_table
    from glmflow.tasks.context_extension import compare_all

    metrics = pd.concat([read_table(path) for path in snakemake.input.metrics])
    write_table(compare_all(metrics), snakemake.output.comparison)
