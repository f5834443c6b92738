"""Turn the data that a task brings along into a genome, phased variants and genes."""

from pathlib import Path

from scriptlog import input_files, logged

with logged(snakemake):
    from glmflow import tasks
    from glmflow.config.tasks import task_block
    from glmflow.modules import module

    task = task_block(snakemake.params.settings["task"])
    files = (Path(snakemake.output[name]) for name in ("fasta", "annotation", "vcf"))
    for item, count in module(tasks.__name__, task.kind).own_data(task, input_files(snakemake.input), *files).items():
        print(f"{count:,} {item}")
