# Published checkpoints, once for all studies; on a machine with internet (`snakemake prefetch`).
rule checkpoint:
    output:
        folder=directory("resources/models/{checkpoint}"),
    log:
        "logs/checkpoint/{checkpoint}.log",
    wildcard_constraints:
        checkpoint=any_of(CHECKPOINTS),
    localrule: True
    params:
        id=lambda wildcards: CHECKPOINTS[wildcards.checkpoint]["id"],
        revision=lambda wildcards: CHECKPOINTS[wildcards.checkpoint]["revision"],
    script:
        "../scripts/prefetch.py"


rule prefetch:
    input:
        collect(
            "resources/models/{checkpoint}",
            checkpoint=sorted(
                {
                    model.checkpoint
                    for model in STUDY.models.values()
                    if model.checkpoint in CHECKPOINTS
                }
            ),
        ),
    localrule: True


# Models the workflow makes itself.
rule pretrain:
    input:
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
        regions="results/{study}/examples/regions.tsv",
        fitting=that_fits(making_model),
    output:
        model=directory("results/{study}/models/{model}/seed{seed}"),
        metrics="results/{study}/models/{model}/training/seed{seed}/metrics.jsonl",
        cost="results/{study}/models/{model}/training/seed{seed}/cost.json",
    log:
        "logs/{study}/pretrain/{model}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/pretrain/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model=any_of(
            label
            for label, model in STUDY.models.items()
            if model.origin == "pretrain"
        ),
    resources:
        gpu=lambda wildcards: making_model(wildcards).adaptation.train.gpus,
        mem_mb=lambda wildcards, attempt: training_plan.memory_mb(
            making_model(wildcards)
        )
        * attempt,
        runtime=lambda wildcards, attempt: training_plan.minutes(
            making_model(wildcards), attempt, LONGEST_MINUTES
        ),
    params:
        settings=lambda wildcards: STUDY.models[wildcards.model].pretrain.model_dump(
            mode="json"
        ),
    script:
        "../scripts/pretrain.py"
