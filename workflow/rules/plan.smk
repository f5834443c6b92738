# What every training run will need, before anything is queued.
rule plan:
    log:
        f"logs/{STUDY.study}/plan.log",
    localrule: True
    params:
        rows=training_plan.table(list(JOBS.values()), GPU_MODEL),
        heading=training_plan.heading(GPU_MODEL),
        problems=TOO_LARGE,
        path=f"{RESULTS}/plan.tsv",
    script:
        "../scripts/plan.py"


# Checkpoints of finished runs, named and removed.
rule clean_checkpoints:
    log:
        f"logs/{STUDY.study}/clean_checkpoints.log",
    localrule: True
    params:
        results=RESULTS,
    script:
        "../scripts/clean_checkpoints.py"
