"""Make the examples of a task from the hackathon's own splits and labels."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import read_table, write_table
    from glmflow.genome.gene_windows import GeneWindows
    from glmflow.genome.haplotypes import HaplotypeReader
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import open_store
    from glmflow.tasks.snp2gex.hackathon import hackathon_examples, read_rows

    files, task = snakemake.input, snakemake.params.task
    made = hackathon_examples(
        task,
        read_rows(files.partitions, task["hackathon"]["target"]),
        read_table(files.genes),
        GeneWindows(HaplotypeReader(open_store(files.store), Reference(files.fasta), task["variants"])),
    )
    for name in ("counts", "leakage", "genes", "people"):
        write_table(getattr(made, name), snakemake.output[name])
    write_table(made.table, snakemake.output.examples)
