"""Apply a tuned model to other sequences."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    import torch
    from glmflow.apply.predict_command import predict_arguments, run_predict

    torch.set_num_threads(snakemake.threads)
    files = {key: snakemake.input.get(key) or None for key in ("vcf", "bed", "genes")}
    if tables := snakemake.input.get("tables"):  # the genes of the run's own task
        files["genes"] = f"{tables}/genes.tsv"
    run_predict(
        predict_arguments(
            model=Path(snakemake.input.model),
            fasta=Path(snakemake.input.fasta),
            output=Path(snakemake.output[0]),
            **{key: path and Path(path) for key, path in files.items()},
            **dict(snakemake.params.items()),
        )
    )
