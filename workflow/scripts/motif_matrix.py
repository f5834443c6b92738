"""Write the motif matrix of a task: regions, and the sums of motif clusters in them."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    from glmflow import tasks
    from glmflow.config.tasks import task_block
    from glmflow.files import atomic_path
    from glmflow.modules import module

    task = task_block(snakemake.params.settings["task"])
    with atomic_path(snakemake.output.matrix) as folder:
        folder.mkdir()
        module(tasks.__name__, task.kind).motif_matrix(task, input_files(snakemake.input), Path(folder))
