"""Score predicted expression of genes in people, class by class."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import read_table, write_table
    from glmflow.tasks.snp2gex.scoring import score
    from glmflow.tasks.snp2gex.submission import write_submission

    people = read_table(snakemake.input.people)
    populations = dict(zip(people["sample"], people["population"].fillna(""))) if "population" in people else {}
    settings = snakemake.params.settings
    examples, predictions = (pd.read_parquet(snakemake.input[name]) for name in ("examples", "predictions"))
    held_out = examples.loc[examples["split"].isin(["test", "predict"]), ["example", "sample", "group"]]
    target = (settings["task"]["hackathon"] or {"target": "log_TPM"})["target"]
    write_submission(held_out.merge(predictions, on="example"), snakemake.output.submission, target)
    metrics, genes = score(
        settings,
        examples,
        predictions,
        read_table(snakemake.input.genes),
        populations,
    )
    write_table(metrics, snakemake.output.metrics)
    write_table(genes, snakemake.output.genes)
