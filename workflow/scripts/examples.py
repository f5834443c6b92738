"""Make the examples of a task, with what was counted, checked and audited on the way."""

from scriptlog import input_files, logged

with logged(snakemake) as terminal:
    from glmflow import tasks
    from glmflow.checks.examples_audit import audited, require_audits
    from glmflow.config.tasks import task_block
    from glmflow.files import atomic_path, read_table, write_table
    from glmflow.modules import module
    from glmflow.tasks.tables import Division

    settings, files = snakemake.params.settings, input_files(snakemake.input)
    task, splits = task_block(settings["task"]), settings.get("splits")
    if snakemake.input.divided:  # groups of what is alike are drawn once for all tasks
        splits = {**splits, "regions": read_table(snakemake.input.divided)}
    division = Division(
        splits,
        settings.get("size", 0),
        settings.get("contigs"),
        settings.get("alternates", "leave_out"),
    )
    made = module(tasks.__name__, task.kind).examples(task, files, division)
    made, copies = audited(made, task, files, settings, snakemake.threads)
    label = snakemake.wildcards.task
    for audit in require_audits(made.checks, snakemake.config.get("fail_on", "never"), label):
        print(audit)
        print(f"{label}: {audit}", file=terminal)
    with atomic_path(snakemake.output.tables) as folder:
        folder.mkdir()
        for name, table in made.facts.items():
            write_table(table, folder / name)
    write_table(made.counts, snakemake.output.counts)
    write_table(made.checks, snakemake.output.leakage)
    write_table(copies, snakemake.output.copies)
    write_table(made.table, snakemake.output.examples)
