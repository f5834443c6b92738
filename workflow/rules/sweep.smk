# Several settings of one run, and the choice among them by their validation loss alone.
if SWEPT:

    use rule finetune as finetune_trial with:
        output:
            model=temp(
                directory(
                    "results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/model"
                )
            ),
            metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/metrics.jsonl",
            cost="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/cost.json",
            run="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/run.yaml",
        log:
            "logs/{study}/trials/{task}/{model}/{adaptation}/seed{seed}/{trial}.log",
        benchmark:
            "benchmarks/{study}/trials/{task}/{model}/{adaptation}/seed{seed}/{trial}.tsv"
        wildcard_constraints:
            task=any_of(TRACK_TASKS),
            adaptation=any_of(SWEPT),

    rule choose_trial:
        input:
            models=lambda wildcards: trials_of(wildcards, "model"),
            metrics=lambda wildcards: trials_of(wildcards, "metrics.jsonl"),
            costs=lambda wildcards: trials_of(wildcards, "cost.json"),
            runs=lambda wildcards: trials_of(wildcards, "run.yaml"),
        output:
            model=directory(
                "results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/model"
            ),
            metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/metrics.jsonl",
            cost="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/cost.json",
            run="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/run.yaml",
            sweep="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/sweep.tsv",
        log:
            "logs/{study}/finetune/{task}/{model}/{adaptation}/seed{seed}.log",
        wildcard_constraints:
            adaptation=any_of(SWEPT),
        localrule: True
        params:
            trials=lambda wildcards: study_config.trials(
                STUDY.adaptations[wildcards.adaptation]
            ),
        script:
            "../scripts/choose_trial.py"


if SWEPT and PERSONAL_TASKS:

    use rule personal_finetune as personal_finetune_trial with:
        output:
            model=temp(
                directory(
                    "results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/model"
                )
            ),
            metrics="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/metrics.jsonl",
            cost="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/cost.json",
            run="results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/trials/{trial}/run.yaml",
        log:
            "logs/{study}/trials/{task}/{model}/{adaptation}/seed{seed}/{trial}.log",
        benchmark:
            "benchmarks/{study}/trials/{task}/{model}/{adaptation}/seed{seed}/{trial}.tsv"
        wildcard_constraints:
            task=any_of(PERSONAL_TASKS),
            adaptation=any_of(SWEPT),
