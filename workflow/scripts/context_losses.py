"""Ask a model for the loss of the last bases of every window, at every context."""

import json
from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    import torch
    from glmflow.files import atomic_path, write_table
    from glmflow.provenance import write_run
    from glmflow.training.context_losses import context_losses

    torch.set_num_threads(snakemake.threads)
    settings = snakemake.params.settings
    write_run(settings, snakemake.output.run)
    predictions, cost = context_losses(
        Path(snakemake.input.model), pd.read_parquet(snakemake.input.examples), settings["task"]["contexts"]
    )
    trained = snakemake.input.get("training")
    cost |= json.loads(Path(trained).read_text()) if trained else {}
    with atomic_path(snakemake.output.cost) as temporary:
        temporary.write_text(json.dumps(cost, indent=2) + "\n")
    write_table(predictions, snakemake.output.predictions)
