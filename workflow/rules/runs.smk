# Runs: a model fitted to a task in one way from one seed, applied to what was held out, and scored. One path for all kinds.
#
# needs  results/{study}/examples/{task}.parquet, a model, and the files that the kind of task names for each step
# makes  results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}/
#          model, metrics.jsonl, cost.json, run.yaml     finetune (and its trials), baseline
#          predictions.parquet, predicted/, {track}.bw   predict, baseline
#          judged.parquet                                judge, where other models or motifs are asked
#          metrics.tsv, scores/                          score
#        results/{study}/comparisons/{task}.tsv          all runs of a task compared with each other
#        results/{study}/comparisons/{task}/             notes.tsv, warnings.tsv, and the kind's own tables
RUN = "{study}/runs/{task}/{model}/{adaptation}/seed{seed}"


rule finetune:
    input:
        unpack(files_of("train")),
        examples="results/{study}/examples/{task}.parquet",
        checkpoint=checkpoint_folder,
        fitting=that_fits(finetuning),
    output:
        model=directory(f"results/{RUN}/model"),
        metrics=f"results/{RUN}/metrics.jsonl",
        cost=f"results/{RUN}/cost.json",
        run=f"results/{RUN}/run.yaml",
    log:
        "logs/{study}/finetune/{task}/{model}/{adaptation}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/finetune/{task}/{model}/{adaptation}/seed{seed}.tsv"
    wildcard_constraints:
        adaptation=TRAINED_ONCE,
    priority: 1
    threads: lambda wildcards: job_plan.threads(finetuning(wildcards))
    resources:
        gpu=lambda wildcards: finetuning(wildcards).adaptation.train.gpus,
        nodes=lambda wildcards: finetuning(wildcards).adaptation.train.nodes,
        mem_mb=lambda wildcards, attempt: job_plan.memory_mb(finetuning(wildcards))
        * attempt,
        runtime=lambda wildcards, attempt: job_plan.minutes(
            finetuning(wildcards), attempt, LONGEST_MINUTES
        ),
    params:
        settings=run_settings,
    script:
        "../scripts/finetune.py"


# Several settings of one run, and the choice among them by their validation loss alone.
if SWEPT:

    use rule finetune as finetune_trial with:
        output:
            model=temp(directory(f"results/{RUN}/trials/{{trial}}/model")),
            metrics=f"results/{RUN}/trials/{{trial}}/metrics.jsonl",
            cost=f"results/{RUN}/trials/{{trial}}/cost.json",
            run=f"results/{RUN}/trials/{{trial}}/run.yaml",
        log:
            "logs/{study}/trials/{task}/{model}/{adaptation}/seed{seed}/{trial}.log",
        benchmark:
            "benchmarks/{study}/trials/{task}/{model}/{adaptation}/seed{seed}/{trial}.tsv"
        wildcard_constraints:
            adaptation=any_of(SWEPT),

    rule choose_trial:
        input:
            models=lambda wildcards: trials_of(wildcards, "model"),
            metrics=lambda wildcards: trials_of(wildcards, "metrics.jsonl"),
            costs=lambda wildcards: trials_of(wildcards, "cost.json"),
            runs=lambda wildcards: trials_of(wildcards, "run.yaml"),
        output:
            model=directory(f"results/{RUN}/model"),
            metrics=f"results/{RUN}/metrics.jsonl",
            cost=f"results/{RUN}/cost.json",
            run=f"results/{RUN}/run.yaml",
            sweep=f"results/{RUN}/sweep.tsv",
        log:
            "logs/{study}/finetune/{task}/{model}/{adaptation}/seed{seed}.log",
        wildcard_constraints:
            adaptation=any_of(SWEPT),
        localrule: True
        params:
            trials=lambda wildcards: study_config.trials(
                STUDY.adaptations[wildcards.adaptation]
            ),
            best_by=lambda wildcards: STUDY.adaptations[
                wildcards.adaptation
            ].train.best_by,
        script:
            "../scripts/choose_trial.py"


rule predict:
    input:
        unpack(files_of("predict")),
        examples="results/{study}/examples/{task}.parquet",
        model=f"results/{RUN}/model",
    output:
        predictions=f"results/{RUN}/predictions.parquet",
        predicted=directory(f"results/{RUN}/predicted"),
        cost=f"results/{RUN}/prediction.json",
    log:
        "logs/{study}/predict/{task}/{model}/{adaptation}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/predict/{task}/{model}/{adaptation}/seed{seed}.tsv"
    wildcard_constraints:
        adaptation=TRAINED,
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: job_plan.memory_mb(predicting(wildcards))
        * attempt,
        runtime=lambda wildcards, attempt: job_plan.minutes(
            predicting(wildcards), attempt, LONGEST_MINUTES
        ),
    params:
        settings=run_settings,
    script:
        "../scripts/predict.py"


# Zero-shot: the same with the model as it is; a run without training.
use rule predict as predict_as_it_is with:
    input:
        unpack(files_of("predict")),
        examples="results/{study}/examples/{task}.parquet",
        model=checkpoint_folder,
        fitting=that_fits(predicting),
    output:
        predictions=f"results/{RUN}/predictions.parquet",
        predicted=directory(f"results/{RUN}/predicted"),
        cost=f"results/{RUN}/prediction.json",
        run=f"results/{RUN}/run.yaml",
    wildcard_constraints:
        adaptation=ZERO_SHOT,


# What a model as it is makes of some places of the task, for its page.
PICTURED = [
    run.folder(RESULTS)
    for run in RUNS
    if STUDY.adaptations[run.adaptation].kind == "zero-shot"
    and STUDY.tasks[run.task].files(STUDY, run.task, "pictures", run)
]


rule pictures:
    input:
        unpack(files_of("pictures")),
        examples="results/{study}/examples/{task}.parquet",
        model=checkpoint_folder,
    output:
        pictures=directory(f"results/{RUN}/pictures"),
    log:
        "logs/{study}/pictures/{task}/{model}/{adaptation}/seed{seed}.log",
    wildcard_constraints:
        adaptation=ZERO_SHOT,
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: job_plan.memory_mb(predicting(wildcards))
        * attempt,
        runtime=lambda wildcards, attempt: walltime(240, attempt),
    params:
        pictures=lambda wildcards: STUDY.tasks[wildcards.task].pictures.model_dump(),
    script:
        "../scripts/pictures.py"


rule baseline:
    input:
        unpack(files_of("baseline")),
        examples="results/{study}/examples/{task}.parquet",
    output:
        predictions=f"results/{RUN}/predictions.parquet",
        predicted=directory(f"results/{RUN}/predicted"),
        cost=f"results/{RUN}/cost.json",
        run=f"results/{RUN}/run.yaml",
    log:
        "logs/{study}/baseline/{task}/{model}/{adaptation}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/baseline/{task}/{model}/{adaptation}/seed{seed}.tsv"
    wildcard_constraints:
        adaptation=BASELINE,
    threads: up_to(2)
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: walltime(480, attempt),
    params:
        settings=run_settings,
    script:
        "../scripts/baseline.py"


# A predicted track beside its run, so that it can be asked for by name; of classes of bases one is made then.
rule predicted_track:
    input:
        unpack(files_of("predict")),
        examples="results/{study}/examples/{task}.parquet",
        predicted=f"results/{RUN}/predicted",
    output:
        f"results/{RUN}/{{track}}.bw",
    log:
        "logs/{study}/predicted_track/{task}/{model}/{adaptation}/seed{seed}/{track}.log",
    wildcard_constraints:
        track="[^/]+",
    localrule: True
    script:
        "../scripts/predicted_track.py"


# What other models and motifs tell of what a run predicted, and once of what all runs are compared with.
rule judge:
    input:
        unpack(files_of("judge")),
        unpack(judge_folders),
        predictions=f"results/{RUN}/predictions.parquet",
    output:
        told=f"results/{RUN}/judged.parquet",
    log:
        "logs/{study}/judge/{task}/{model}/{adaptation}/seed{seed}.log",
    benchmark:
        "benchmarks/{study}/judge/{task}/{model}/{adaptation}/seed{seed}.tsv"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: walltime(240, attempt),
    params:
        settings=lambda wildcards: study_config.task_settings(STUDY, wildcards.task),
    script:
        "../scripts/judge.py"


use rule judge as judge_real with:
    input:
        unpack(files_of("judge")),
        unpack(judge_folders),
    output:
        told="results/{study}/examples/{task}.judged.parquet",
    log:
        "logs/{study}/judge/{task}.log",
    benchmark:
        "benchmarks/{study}/judge/{task}.tsv"


rule score:
    input:
        unpack(files_of("score")),
        examples="results/{study}/examples/{task}.parquet",
        predictions=f"results/{RUN}/predictions.parquet",
        predicted=f"results/{RUN}/predicted",
    output:
        metrics=f"results/{RUN}/metrics.tsv",
        scores=directory(f"results/{RUN}/scores"),
    log:
        "logs/{study}/score/{task}/{model}/{adaptation}/seed{seed}.log",
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: walltime(60, attempt),
    params:
        settings=score_settings,
    script:
        "../scripts/score.py"


rule compare:
    input:
        scores=lambda wildcards: [
            f"{run['folder']}/scores" for run in compared_with(wildcards)
        ],
        examples=of_own_comparison("examples"),
        metrics=of_own_comparison("metrics.tsv"),
        predictions=of_own_comparison("predictions.parquet"),
    output:
        comparison="results/{study}/comparisons/{task}.tsv",
        tables=directory("results/{study}/comparisons/{task}"),
    log:
        "logs/{study}/compare/{task}.log",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: walltime(30, attempt),
    params:
        kind=lambda wildcards: STUDY.tasks[wildcards.task].kind,
        compares=lambda wildcards: STUDY.tasks[wildcards.task].compares,
        control=lambda wildcards: study_config.control_in_words(
            STUDY.tasks[wildcards.task]
        ),
        runs=compared_with,
    script:
        "../scripts/compare.py"
