# Predictors of expression in people: models fitted to it, and baselines.
if PERSONAL_TASKS:

    rule personal_finetune:
        input:
            examples="results/{study}/examples/{task}.parquet",
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            store="results/{study}/cohort/store",
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
            task=any_of(PERSONAL_TASKS),
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
            "../scripts/personal_finetune.py"

    rule personal_predict:
        input:
            examples="results/{study}/examples/{task}.parquet",
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            store="results/{study}/cohort/store",
            model="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/model",
        output:
            predictions="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/predictions.parquet",
            variants="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/variants.tsv",
            cost="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/prediction.json",
        log:
            "logs/{study}/predict/{task}/{model}/{adaptation}/seed{seed}.log",
        benchmark:
            "benchmarks/{study}/predict/{task}/{model}/{adaptation}/seed{seed}.tsv"
        wildcard_constraints:
            task=any_of(PERSONAL_TASKS),
            adaptation=TRAINED,
        resources:
            gpu=1,
            mem_mb=lambda wildcards, attempt: training_plan.memory_mb(
                predicting(wildcards)
            )
            * attempt,
            runtime=lambda wildcards, attempt: training_plan.minutes(
                predicting(wildcards), attempt, LONGEST_MINUTES
            ),
        params:
            settings=run_settings,
        script:
            "../scripts/personal_predict.py"

    rule personal_baseline:
        input:
            examples="results/{study}/examples/{task}.parquet",
            people="results/{study}/examples/{task}.people.tsv",
            fasta="results/{study}/reference/genome.fa",
            index="results/{study}/reference/genome.fa.fai",
            store="results/{study}/cohort/store",
        output:
            predictions="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/predictions.parquet",
            variants="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/variants.tsv",
            weights="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/weights.tsv",
            cost="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/cost.json",
            run="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/run.yaml",
        log:
            "logs/{study}/baseline/{task}/{model}/{adaptation}/seed{seed}.log",
        benchmark:
            "benchmarks/{study}/baseline/{task}/{model}/{adaptation}/seed{seed}.tsv"
        wildcard_constraints:
            task=any_of(PERSONAL_TASKS),
            adaptation=BASELINE,
        threads: 2
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime=lambda wildcards, attempt: walltime(480, attempt),
        params:
            settings=run_settings,
        script:
            "../scripts/personal_baseline.py"

    rule personal_causal:
        input:
            variants="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/variants.tsv",
            genes="results/{study}/examples/{task}.genes.tsv",
            truth=simulated_truth,
            elastic_net=elastic_net_variants,
        output:
            metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/causal.tsv",
            genes="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/causal_genes.tsv",
        log:
            "logs/{study}/causal/{task}/{model}/{adaptation}/seed{seed}.log",
        wildcard_constraints:
            task=any_of(PERSONAL_TASKS),
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime=lambda wildcards, attempt: walltime(30, attempt),
        params:
            settings=run_settings,
        script:
            "../scripts/personal_causal.py"
