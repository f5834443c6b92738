"""Make the examples of a task of personal expression, with what was counted and checked on the way."""

from scriptlog import logged

with logged(snakemake):
    from glmflow.files import read_table, write_table
    from glmflow.genome.gene_windows import GeneWindows
    from glmflow.genome.haplotypes import HaplotypeReader
    from glmflow.genome.people import read_people
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import open_store
    from glmflow.tasks.snp2gex.examples import examples
    from glmflow.tasks.snp2gex.expression import read_expression

    files, task = snakemake.input, snakemake.params.task
    windows = GeneWindows(HaplotypeReader(open_store(files.store), Reference(files.fasta), task["variants"]))
    made = examples(
        task,
        read_expression(files.expression),
        read_table(files.genes),
        read_people(files.get("samples") or None, windows.reader.store.samples),
        windows,
        snakemake.params.splits,
        snakemake.params.size,
        read_expression(f"{files.truth}/expression.tsv").values if files.get("truth") else None,
    )
    write_table(made.counts, snakemake.output.counts)
    write_table(made.leakage, snakemake.output.leakage)
    write_table(made.genes, snakemake.output.genes)
    write_table(made.people, snakemake.output.people)
    write_table(made.table, snakemake.output.examples)
