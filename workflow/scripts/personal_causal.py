"""Hold a run's effects of variants against the simulation's truth and against the elastic net's weights."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import write_table
    from glmflow.tasks.snp2gex.causal import causal_metrics

    files = snakemake.input
    genes = pd.read_csv(files.genes, sep="\t", dtype={"gene_id": str})
    truth, other = files.get("truth"), files.get("elastic_net")
    metrics, ranked = causal_metrics(
        snakemake.params.settings,
        pd.read_csv(files.variants, sep="\t", dtype={"chrom": str}),
        set(genes.loc[genes["split"] == "train", "gene_id"]),
        pd.read_csv(f"{truth}/variants.tsv", sep="\t", dtype={"chrom": str}) if truth else None,
        pd.read_csv(other, sep="\t", dtype={"chrom": str}) if other else None,
    )
    write_table(metrics, snakemake.output.metrics)
    write_table(ranked, snakemake.output.genes)
