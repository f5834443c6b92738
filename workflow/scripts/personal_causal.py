"""Hold a run's effects of variants against the simulation's truth and against the elastic net's weights."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import read_table, write_table
    from glmflow.tasks.snp2gex.causal import causal_metrics

    files = snakemake.input
    genes = read_table(files.genes)
    truth, other = files.get("truth"), files.get("elastic_net")
    metrics, ranked = causal_metrics(
        snakemake.params.settings,
        read_table(files.variants),
        set(genes.loc[genes["split"] == "train", "gene_id"]),
        read_table(f"{truth}/variants.tsv") if truth else None,
        read_table(other) if other else None,
    )
    write_table(metrics, snakemake.output.metrics)
    write_table(ranked, snakemake.output.genes)
