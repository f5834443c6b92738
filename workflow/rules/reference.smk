# The genome every room agrees on: upper case, indexed, its genes as tables.
rule reference:
    input:
        fasta=DATA.reference.fasta,
    output:
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
    log:
        "logs/{study}/reference.log",
    benchmark:
        "benchmarks/{study}/reference.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    script:
        "../scripts/reference.py"


rule genes:
    input:
        annotation=DATA.reference.annotation or [],
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
    output:
        genes="results/{study}/reference/genes.tsv",
        exons="results/{study}/reference/exons.tsv",
    log:
        "logs/{study}/genes.log",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    script:
        "../scripts/genes.py"
