"""Write one sample's haplotype as bgzip FASTA."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.genome.export import export_haplotype
    from glmflow.genome.haplotypes import HaplotypeReader
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import open_store

    store, reference = open_store(snakemake.input.store), Reference(snakemake.input.fasta)
    reader = HaplotypeReader(store, reference, snakemake.params.variants)
    wildcards = snakemake.wildcards
    export_haplotype(reader, wildcards.sample, int(wildcards.haplotype), snakemake.output.fasta)
