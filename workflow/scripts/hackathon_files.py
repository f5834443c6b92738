"""Write people's haplotypes around transcription start sites, and targets, in the layout of the SNP2GEX task."""

from scriptlog import logged

with logged(snakemake):
    import pandas as pd
    from glmflow.files import read_table
    from glmflow.genome.export import export_snp2gex
    from glmflow.genome.haplotypes import HaplotypeReader
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import open_store
    from glmflow.tasks.snp2gex.submission import partitions_of

    files, params = snakemake.input, snakemake.params
    export_snp2gex(
        HaplotypeReader(open_store(files.store), Reference(files.fasta), params.variants),
        read_table(files.genes),
        partitions_of(pd.read_parquet(files.examples)),
        snakemake.output.files,
        params.length,
    )
