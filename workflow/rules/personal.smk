# Expression of genes in people: examples and scores.
if HACKATHON:

    # Two FASTAs a person as a genome of one contig a gene, and phased variants over it.
    rule hackathon_cohort:
        input:
            folder=HACKATHON.folder,
            partitions=f"{HACKATHON.folder}/partitions.csv",
        output:
            fasta="results/{study}/hackathon/genome.fa",
            annotation="results/{study}/hackathon/genes.gtf",
            vcf="results/{study}/hackathon/cohort.vcf.gz",
            index="results/{study}/hackathon/cohort.vcf.gz.tbi",
        log:
            "logs/{study}/hackathon_cohort.log",
        benchmark:
            "benchmarks/{study}/hackathon_cohort.tsv"
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 240 * attempt,
        params:
            oriented=HACKATHON.oriented,
        script:
            "../scripts/hackathon_cohort.py"

    rule hackathon_examples:
        input:
            partitions=f"{HACKATHON.folder}/partitions.csv",
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            store="results/{study}/cohort/store",
            genes="results/{study}/reference/genes.tsv",
        output:
            examples="results/{study}/examples/{task}.parquet",
            counts="results/{study}/examples/{task}.counts.tsv",
            leakage="results/{study}/examples/{task}.leakage.tsv",
            genes="results/{study}/examples/{task}.genes.tsv",
            people="results/{study}/examples/{task}.people.tsv",
        log:
            "logs/{study}/examples/{task}.log",
        wildcard_constraints:
            task=any_of(PERSONAL_TASKS),
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            task=lambda wildcards: study_config.task_settings(STUDY, wildcards.task),
        script:
            "../scripts/hackathon_examples.py"


if PERSONAL_TASKS:

    rule personal_examples:
        input:
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            store="results/{study}/cohort/store",
            samples=DATA.cohort.samples or [],
            genes="results/{study}/reference/genes.tsv",
            expression=lambda wildcards: study_config.expression_of(
                STUDY, wildcards.task
            ),
            truth=simulated_truth,
        output:
            examples="results/{study}/examples/{task}.parquet",
            counts="results/{study}/examples/{task}.counts.tsv",
            leakage="results/{study}/examples/{task}.leakage.tsv",
            genes="results/{study}/examples/{task}.genes.tsv",
            people="results/{study}/examples/{task}.people.tsv",
        log:
            "logs/{study}/examples/{task}.log",
        benchmark:
            "benchmarks/{study}/examples/{task}.tsv"
        wildcard_constraints:
            task=any_of([] if HACKATHON else PERSONAL_TASKS),
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            task=lambda wildcards: study_config.task_settings(STUDY, wildcards.task),
            splits=STUDY.splits.model_dump(mode="json"),
            size=LONGEST_WINDOW,
        script:
            "../scripts/personal_examples.py"

    rule personal_score:
        input:
            examples="results/{study}/examples/{task}.parquet",
            genes="results/{study}/examples/{task}.genes.tsv",
            people="results/{study}/examples/{task}.people.tsv",
            predictions="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/predictions.parquet",
        output:
            metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/metrics.tsv",
            genes="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/personal.tsv",
            submission="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/submission.csv",
        log:
            "logs/{study}/score/{task}/{model}/{adaptation}/seed{seed}.log",
        wildcard_constraints:
            task=any_of(PERSONAL_TASKS),
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            settings=score_settings,
        script:
            "../scripts/personal_score.py"

    rule hackathon_files:
        input:
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            store="results/{study}/cohort/store",
            genes="results/{study}/reference/genes.tsv",
            examples="results/{study}/examples/{task}.parquet",
        output:
            files=directory("results/{study}/cohort/snp2gex/{task}"),
        log:
            "logs/{study}/hackathon_files/{task}.log",
        wildcard_constraints:
            task=any_of(PERSONAL_TASKS),
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: 240 * attempt,
        params:
            variants=lambda wildcards: STUDY.tasks[wildcards.task].variants,
            # A base to spare on either side: the layout has the TSS of a gene on the minus strand one base off the middle.
            length=lambda wildcards: STUDY.tasks[wildcards.task].windows.size
            + (0 if HACKATHON else 2),
        script:
            "../scripts/hackathon_files.py"
