# What is learned from and what is held out.
#
# needs  the files that the kind of each task names, results/{study}/reference/genome.fa where it is cut from the genome
# makes  results/{study}/examples/regions.tsv                  the regions that each split owns
#        results/{study}/examples/{task}.parquet               the examples, with their splits
#        results/{study}/examples/{task}.counts.tsv, {task}/               what was left out; further tables
#        results/{study}/examples/{task}.leakage.tsv, .copies.tsv           every audit; held-out windows that are copies
#        results/{study}/motif_matrix/{task}                   regions x motif clusters, where models read regions
#        results/{study}/cohort/{kind}/{task}                  the examples in a published layout, on request
if STUDY.splits and DATA.reference:

    rule regions:
        input:
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
        output:
            regions="results/{study}/examples/regions.tsv",
        log:
            "logs/{study}/regions.log",
        threads: up_to(2) if STUDY.splits.by == "homology" else 1
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            contigs=DATA.reference.contigs,
            alternates=DATA.reference.alternates,
            splits=STUDY.splits.model_dump(mode="json"),
            size=study_config.longest_window(STUDY),
        script:
            "../scripts/regions.py"


# Regions x motif clusters, for kinds whose models read regions in place of sequences; one matrix for all cells.
rule motif_matrix:
    input:
        unpack(files_of("motif_matrix")),
    output:
        matrix=directory("results/{study}/motif_matrix/{task}"),
    log:
        "logs/{study}/motif_matrix/{task}.log",
    benchmark:
        "benchmarks/{study}/motif_matrix/{task}.tsv"
    wildcard_constraints:
        task=any_of(
            label
            for label, task in STUDY.tasks.items()
            if "matrix" in task.files(STUDY, label, "examples")
        ),
    threads: up_to(2)
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: walltime(120, attempt),
    params:
        settings=lambda wildcards: study_config.task_settings(STUDY, wildcards.task),
    script:
        "../scripts/motif_matrix.py"


rule examples:
    input:
        unpack(files_of("examples")),
        divided=regions_drawn,
    output:
        examples="results/{study}/examples/{task}.parquet",
        counts="results/{study}/examples/{task}.counts.tsv",
        leakage="results/{study}/examples/{task}.leakage.tsv",
        copies="results/{study}/examples/{task}.copies.tsv",
        tables=directory("results/{study}/examples/{task}"),
    log:
        "logs/{study}/examples/{task}.log",
    benchmark:
        "benchmarks/{study}/examples/{task}.tsv"
    threads: up_to(2)
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: walltime(120, attempt),
    params:
        settings=lambda wildcards: study_config.task_settings(STUDY, wildcards.task),
    script:
        "../scripts/examples.py"


rule export:
    input:
        unpack(files_of("export")),
        examples="results/{study}/examples/{task}.parquet",
    output:
        files=directory("results/{study}/cohort/{kind}/{task}"),
    log:
        "logs/{study}/export/{kind}/{task}.log",
    wildcard_constraints:
        kind=any_of(sorted({STUDY.tasks[label].kind for label in EXPORTED})),
        task=any_of(EXPORTED),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: walltime(240, attempt),
    params:
        settings=lambda wildcards: study_config.task_settings(STUDY, wildcards.task),
    script:
        "../scripts/export.py"
