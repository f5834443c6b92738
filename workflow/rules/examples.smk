# What is learned from and what is held out.
rule regions:
    input:
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
    output:
        regions="results/{study}/examples/regions.tsv",
    log:
        "logs/{study}/regions.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        contigs=DATA.reference.contigs,
        splits=STUDY.splits.model_dump(mode="json"),
        size=LONGEST_WINDOW,
    script:
        "../scripts/regions.py"


rule examples:
    input:
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
        blacklist=DATA.reference.blacklist or [],
    output:
        examples="results/{study}/examples/{task}.parquet",
        windows="results/{study}/examples/{task}.windows.tsv",
        leakage="results/{study}/examples/{task}.leakage.tsv",
    log:
        "logs/{study}/examples/{task}.log",
    wildcard_constraints:
        task=any_of(TRACK_TASKS),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        contigs=DATA.reference.contigs,
        windows=lambda wildcards: STUDY.tasks[wildcards.task].windows.model_dump(
            mode="json"
        ),
        splits=STUDY.splits.model_dump(mode="json"),
        size=LONGEST_WINDOW,
    script:
        "../scripts/examples.py"
