# Longer contexts: models extended, and how far back each makes use of its context.
rule extend:
    input:
        base=lambda wildcards: model_folder(
            STUDY.models[wildcards.model].extend.model, wildcards.seed
        ),
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
        regions="results/{study}/examples/regions.tsv",
        fitting=that_fits(making_model),
    output:
        model=directory("results/{study}/models/{model}/seed{seed}"),
        metrics="results/{study}/models/{model}/training/seed{seed}/metrics.jsonl",
        cost="results/{study}/models/{model}/training/seed{seed}/cost.json",
    log:
        "logs/{study}/extend/{model}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/extend/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=any_of(
            label for label, model in STUDY.models.items() if model.origin == "extend"
        ),
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: training_plan.memory_mb(
            making_model(wildcards)
        )
        * attempt,
        runtime=lambda wildcards, attempt: training_plan.minutes(
            making_model(wildcards), attempt, LONGEST_MINUTES
        ),
    params:
        settings=lambda wildcards: STUDY.models[wildcards.model].extend.model_dump(
            mode="json", exclude_none=True
        ),
    script:
        "../scripts/extend.py"


rule context_examples:
    input:
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
        regions="results/{study}/examples/regions.tsv",
    output:
        examples="results/{study}/examples/{task}.parquet",
    log:
        "logs/{study}/examples/{task}.log",
    wildcard_constraints:
        task=any_of(CONTEXT_TASKS),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: walltime(60, attempt),
    params:
        task=lambda wildcards: study_config.task_settings(STUDY, wildcards.task),
    script:
        "../scripts/context_examples.py"


rule context_losses:
    input:
        examples="results/{study}/examples/{task}.parquet",
        fitting=that_fits(finetuning),
        model=checkpoint_folder,
        training=lambda wildcards: (
            "{folder}/{model}/training/seed{seed}/cost.json".format(
                folder=f"{RESULTS}/models", **wildcards
            )
            if STUDY.models[wildcards.model].origin in ("pretrain", "extend")
            else []
        ),
    output:
        predictions="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/predictions.parquet",
        cost="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/cost.json",
        run="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/run.yaml",
    log:
        "logs/{study}/context_losses/{task}/{model}/{adaptation}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/context_losses/{task}/{model}/{adaptation}/seed{seed}.tsv"
    wildcard_constraints:
        task=any_of(CONTEXT_TASKS),
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: max(
            16000, training_plan.memory_mb(finetuning(wildcards))
        )
        * attempt,
        runtime=lambda wildcards, attempt: max(
            walltime(240, attempt),
            training_plan.minutes(finetuning(wildcards), attempt, LONGEST_MINUTES),
        ),
    params:
        settings=run_settings,
    script:
        "../scripts/context_losses.py"


rule context_score:
    input:
        examples="results/{study}/examples/{task}.parquet",
        predictions="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/predictions.parquet",
    output:
        metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/metrics.tsv",
    log:
        "logs/{study}/score/{task}/{model}/{adaptation}/seed{seed}.log",
    wildcard_constraints:
        task=any_of(CONTEXT_TASKS),
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: walltime(30, attempt),
    params:
        settings=score_settings,
    script:
        "../scripts/context_score.py"


rule context_comparison:
    input:
        examples="results/{study}/examples/{task}.parquet",
        metrics=lambda wildcards: [
            f"{run.folder(RESULTS)}/metrics.tsv"
            for run in RUNS
            if run.task == wildcards.task
        ],
        predictions=lambda wildcards: [
            f"{run.folder(RESULTS)}/predictions.parquet"
            for run in RUNS
            if run.task == wildcards.task
        ],
    output:
        comparison="results/{study}/context/{task}.comparison.tsv",
    log:
        "logs/{study}/context_comparison/{task}.log",
    wildcard_constraints:
        task=any_of(CONTEXT_TASKS),
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: walltime(30, attempt),
    script:
        "../scripts/context_comparison.py"
