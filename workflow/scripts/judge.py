"""Ask other models, motifs and profile HMMs about pieces of what a run predicted, or of what all runs are compared with."""

from scriptlog import input_files, logged

with logged(snakemake):
    from pathlib import Path

    import pandas as pd
    import torch
    from glmflow import tasks
    from glmflow.config.tasks import task_block
    from glmflow.files import write_table
    from glmflow.likeness.told_tables import told_table
    from glmflow.modules import module
    from glmflow.validating.piece_judges import judges

    torch.set_num_threads(snakemake.threads)
    task, files = task_block(snakemake.params.settings["task"]), input_files(snakemake.input)
    predictions = snakemake.input.get("predictions")
    pieces = module(tasks.__name__, task.kind).judged(task, files, predictions and pd.read_parquet(predictions))
    asked = {name: Path(files[name]) if name in files else None for name in ("judge", "embed", "motifs", "hmms")}
    hit = {name: snakemake.params.settings["task"].get(f"hmm_{name}") for name in ("evalue", "gathering")}
    every = [piece for group in pieces.groups.values() for piece in group]
    write_table(told_table(every, pieces.reference, judges(**asked, **hit)), snakemake.output.told)
