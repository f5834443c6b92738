# A model fitted to a task, then applied to what was held out.
rule finetune:
    input:
        examples="results/{study}/examples/{task}.parquet",
        fasta="results/{study}/reference/genome.fa",
        index="results/{study}/reference/genome.fa.fai",
        tracks=averaged_tracks,
        statistics="results/{study}/tracks/statistics.tsv",
        store=training_haplotypes,
        samples=training_people,
        checkpoint=checkpoint_folder,
        fitting=that_fits(finetuning),
    output:
        model=directory(
            "results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/model"
        ),
        metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/metrics.jsonl",
        cost="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/cost.json",
        run="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/run.yaml",
    log:
        "logs/{study}/finetune/{task}/{model}/{adaptation}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/finetune/{task}/{model}/{adaptation}/seed{seed}.tsv"
    wildcard_constraints:
        task=any_of(TRACK_TASKS),
        adaptation=TRAINED_ONCE,
    priority: 1
    threads: lambda wildcards: training_plan.threads(finetuning(wildcards))
    resources:
        gpu=lambda wildcards: finetuning(wildcards).adaptation.train.gpus,
        nodes=lambda wildcards: finetuning(wildcards).adaptation.train.nodes,
        mem_mb=lambda wildcards, attempt: training_plan.memory_mb(
            finetuning(wildcards)
        )
        * attempt,
        runtime=lambda wildcards, attempt: training_plan.minutes(
            finetuning(wildcards), attempt, LONGEST_MINUTES
        ),
    params:
        settings=run_settings,
    script:
        "../scripts/finetune.py"


for TASK in TRACK_TASKS:

    # The names of the predicted tracks are part of the path, so each task has a rule of its own.
    rule:
        name:
            f"predict_{TASK}"
        input:
            examples=f"results/{{study}}/examples/{TASK}.parquet",
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            model=f"results/{{study}}/runs/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}/model",
        output:
            predictions=f"results/{{study}}/runs/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}/predictions.parquet",
            cost=f"results/{{study}}/runs/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}/prediction.json",
            tracks=collect(
                f"results/{{{{study}}}}/runs/{TASK}/{{{{model}}}}/{{{{adaptation}}}}/seed{{{{seed}}}}/{{track}}.bw",
                track=tracks_of(TASK),
            ),
        log:
            f"logs/{{study}}/predict/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}.log",
        benchmark:
            f"benchmarks/{{study}}/predict/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}.tsv"
        wildcard_constraints:
            adaptation=TRAINED,
        resources:
            gpu=1,
            mem_mb=lambda wildcards, attempt, task=TASK: training_plan.memory_mb(
                predicting(wildcards, task)
            )
            * attempt,
            runtime=lambda wildcards, attempt, task=TASK: training_plan.minutes(
                predicting(wildcards, task), attempt, LONGEST_MINUTES
            ),
        script:
            "../scripts/predict.py"

    rule:
        name:
            f"baseline_{TASK}"
        input:
            examples=f"results/{{study}}/examples/{TASK}.parquet",
            regions="results/{study}/examples/regions.tsv",
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            tracks=collect("results/{{study}}/tracks/{track}.bw", track=tracks_of(TASK)),
            genes="results/{study}/reference/genes.tsv",
            exons="results/{study}/reference/exons.tsv",
        output:
            run=f"results/{{study}}/runs/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}/run.yaml",
            cost=f"results/{{study}}/runs/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}/cost.json",
            predictions=f"results/{{study}}/runs/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}/predictions.parquet",
            tracks=collect(
                f"results/{{{{study}}}}/runs/{TASK}/{{{{model}}}}/{{{{adaptation}}}}/seed{{{{seed}}}}/{{track}}.bw",
                track=tracks_of(TASK),
            ),
        log:
            f"logs/{{study}}/baseline/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}.log",
        benchmark:
            f"benchmarks/{{study}}/baseline/{TASK}/{{model}}/{{adaptation}}/seed{{seed}}.tsv"
        wildcard_constraints:
            adaptation=BASELINE,
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime=lambda wildcards, attempt: walltime(120, attempt),
        params:
            settings=lambda wildcards, task=TASK: study_config.run_settings(
                STUDY,
                study_config.Run(
                    task, wildcards.model, wildcards.adaptation, int(wildcards.seed)
                ),
            ),
        script:
            "../scripts/baseline.py"
