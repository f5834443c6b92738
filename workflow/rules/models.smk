# The models that runs start from.
#
# needs  a published checkpoint (downloaded once, on a machine with internet), or the training regions of the genome
# makes  resources/models/{checkpoint}                       published checkpoints, once for all studies
#        results/{study}/models/{model}/seed{seed}           models pretrained here, or extended to a longer context
#        results/{study}/texts/{text}                        text models pretrained on the questions of a task
rule checkpoint:
    output:
        folder=directory("resources/models/{checkpoint}"),
    log:
        "logs/checkpoint/{checkpoint}.log",
    wildcard_constraints:
        checkpoint=any_of(DOWNLOADS),
    localrule: True
    params:
        id=lambda wildcards: DOWNLOADS[wildcards.checkpoint]["id"],
        revision=lambda wildcards: DOWNLOADS[wildcards.checkpoint]["revision"],
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
                | {
                    name
                    for adaptation in STUDY.adaptations.values()
                    if adaptation.head
                    for name in adaptation.head.checkpoints
                }
            ),
        ),
    localrule: True


# Models the workflow makes itself.
rule pretrain:
    input:
        unpack(lambda wildcards: study_config.pretraining_files(STUDY, wildcards.model)),
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
        mem_mb=lambda wildcards, attempt: job_plan.memory_mb(making_model(wildcards))
        * attempt,
        runtime=lambda wildcards, attempt: job_plan.minutes(
            making_model(wildcards), attempt, LONGEST_MINUTES
        ),
    params:
        settings=lambda wildcards: STUDY.models[wildcards.model].pretrain.model_dump(
            mode="json"
        ),
    script:
        "../scripts/pretrain.py"


rule pretrain_text:
    input:
        examples=lambda wildcards: f"{RESULTS}/examples/{STUDY.texts[wildcards.text].questions}.parquet",
        tables=lambda wildcards: f"{RESULTS}/examples/{STUDY.texts[wildcards.text].questions}",
    output:
        folder=directory("results/{study}/texts/{text}"),
    log:
        "logs/{study}/pretrain_text/{text}.log",
    benchmark:
        "benchmarks/{study}/pretrain_text/{text}.tsv"
    wildcard_constraints:
        text=any_of(STUDY.texts),
    params:
        settings=lambda wildcards: STUDY.texts[wildcards.text].model_dump(mode="json"),
    script:
        "../scripts/pretrain_text.py"


# Longer contexts: at once, or with a short tuning.
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
        mem_mb=lambda wildcards, attempt: job_plan.memory_mb(making_model(wildcards))
        * attempt,
        runtime=lambda wildcards, attempt: job_plan.minutes(
            making_model(wildcards), attempt, LONGEST_MINUTES
        ),
    params:
        settings=lambda wildcards: STUDY.models[wildcards.model].extend.model_dump(
            mode="json", exclude_none=True
        ),
    script:
        "../scripts/extend.py"
