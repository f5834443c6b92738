"""Turn the hackathon's FASTAs into a genome, phased variants and genes."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.tasks.snp2gex.hackathon import write_cohort

    files = (Path(snakemake.output[name]) for name in ("fasta", "vcf", "annotation"))
    for item, count in write_cohort(snakemake.input.folder, snakemake.params.oriented, *files).items():
        print(f"{count:,} {item}")
