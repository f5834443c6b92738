# Jobs that meet the accidents of a cluster. Each appends its PBS id to `attempts/{rule}`.
ACCIDENTS = ["plain", "on_gpu", "needs_more_time", "loses_its_node", "dies", "hopeless"]


rule all:
    input:
        collect("done/{name}", name=ACCIDENTS),
    localrule: True


rule plain:
    output:
        "done/plain",
    log:
        "logs/study/plain.log",
    resources:
        mem_mb=3000,
        runtime=90,
    shell:
        "mkdir -p attempts; echo $PBS_JOBID >> attempts/plain; env > environment; touch {output}"


rule on_gpu:
    output:
        "done/on_gpu",
    threads: 2
    resources:
        gpu=1,
    shell:
        "touch {output}"


rule needs_more_time:
    output:
        "done/needs_more_time",
    log:
        "logs/needs_more_time.log",
    resources:
        runtime=lambda wildcards, attempt: 1 if attempt == 1 else 60 * attempt,
    shell:
        "mkdir -p attempts; echo $PBS_JOBID >> attempts/needs_more_time;"
        " [ {resources.runtime} -gt 1 ] || sleep 600; touch {output}"


rule loses_its_node:
    output:
        "done/loses_its_node",
    log:
        "logs/loses_its_node.log",
    shell:
        "mkdir -p attempts; echo $PBS_JOBID >> attempts/loses_its_node;"
        " [ -e lost ] || (touch lost $FAKE_PBS/node_lost.${{PBS_JOBID%%.*}}; sleep 60); touch {output}"


rule dies:
    output:
        "done/dies",
    log:
        "logs/dies.log",
    shell:
        "mkdir -p attempts; echo $PBS_JOBID >> attempts/dies;"
        " [ -e died ] || (touch died; kill -KILL 0); touch {output}"


rule hopeless:
    output:
        "done/hopeless",
    log:
        "logs/hopeless.log",
    shell:
        "mkdir -p attempts; echo $PBS_JOBID >> attempts/hopeless;"
        " echo no such luck > {log}; exit 3"


rule long:
    output:
        "done/long",
    shell:
        "echo $PBS_JOBID > started; sleep 600; touch {output}"
