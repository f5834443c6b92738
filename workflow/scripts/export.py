"""Write the examples of a task in the layout in which such tasks are published."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    import pandas as pd
    from glmflow import tasks
    from glmflow.config.tasks import task_block
    from glmflow.modules import module

    task = task_block(snakemake.params.settings["task"])
    module(tasks.__name__, task.kind).export(
        task, input_files(snakemake.input), pd.read_parquet(snakemake.input.examples), Path(snakemake.output.files)
    )
