"""Ask a model as it is: score variants, mutate intervals, or map the dependencies of sequences."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import torch
    from glmflow.apply.zero_shot_commands import ask

    torch.set_num_threads(snakemake.threads)
    files = {name: path for name, path in snakemake.input.items() if name not in ("model", "index")}
    ask(
        snakemake.params.command,
        snakemake.wildcards.model,
        Path(snakemake.input.model),
        Path(snakemake.output[0]),
        files | snakemake.params.options,
    )
