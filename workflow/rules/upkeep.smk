# What training will need, before it runs; checkpoints of what has run, removed.
#
# needs  the study alone
# makes  results/{study}/plan.tsv
rule plan:
    log:
        f"logs/{STUDY.study}/plan.log",
    localrule: True
    params:
        rows=lambda wildcards: job_plan.table(
            list(JOBS.values()), GPU_MODEL, seen_once()
        ),
        heading=job_plan.heading(GPU_MODEL),
        problems=lambda wildcards: [
            *TOO_LARGE,
            *seen_data.sentences(seen_once()),
        ],
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
