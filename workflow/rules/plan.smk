# What every job on a GPU will need, before anything is queued; a cluster is not asked for what cannot fit.
#
# needs  the configuration, and the sizes of what is there already
# makes  functions for the resources of other rules, and the table that `snakemake -c1 plan` prints (upkeep.smk)
from functools import cache

from glmflow.plan import jobs as job_plan
from glmflow.plan import seen_data


@cache
def seen_once():
    """Return how often models see what they are pretrained on; looked up when the plan is asked for."""
    return seen_data.seen_data(STUDY)


def has_resource(name):
    """Whether the profile has a default resource of this name, be it empty."""
    return name in (workflow.resource_settings.default_resources or {})


def profile_resource(name):
    """Return a default resource of the profile as text, or None without one."""
    if not has_resource(name):
        return None
    return (
        str(workflow.resource_settings.default_resources[name].raw).strip("'\"") or None
    )


# A profile names its GPU for the plan, where the resource `gpu_model` does not; neither: there is no cluster.
GPU_MODEL = profile_resource("planned_gpu") or profile_resource("gpu_model")
LONGEST_MINUTES = int(profile_resource("longest_minutes") or job_plan.LONGEST_MINUTES)
ON_CLUSTER = any(map(has_resource, ("planned_gpu", "gpu_model")))

try:
    JOBS = {job.name: job for job in job_plan.plan(STUDY, CHECKPOINTS, GPU_MODEL)}
    TOO_LARGE = list(job_plan.problems(list(JOBS.values()), GPU_MODEL))
except InputError as error:
    raise WorkflowError(str(error)) from None

if ON_CLUSTER and workflow.is_main_process and not job_plan.known_gpu(GPU_MODEL):
    logger.warning(
        f"The plan knows no GPU {GPU_MODEL or '(any)'} and assumes an "
        f"{job_plan.DEFAULT_GPU.upper()}: `planned_gpu` in the profile's default-resources names another."
    )


def planned(name):
    """Return the plan of a training run by its name.

    Raises
    ------
    WorkflowError
        The study has no such run, though its labels exist.
    """
    if name not in JOBS:
        raise WorkflowError(
            f"{STUDY.study} has no run {name}; add it to `runs:`. It has {', '.join(JOBS)}"
        )
    return JOBS[name]


def finetuning(wildcards):
    """Return the plan of the run, or of the trial of its sweep, that a path stands for."""
    run = "{task}/{model}/{adaptation}/seed{seed}"
    trial = "{task}/{model}/{adaptation}/seed{seed}/trial{trial}"
    pattern = trial if "trial" in wildcards.keys() else run
    return planned(pattern.format_map(dict(wildcards.items())))


def predicting(wildcards):
    """Return the plan of applying the model of a run."""
    run = "{task}/{model}/{adaptation}/seed{seed}".format_map(dict(wildcards.items()))
    return planned(f"{job_plan.PREDICTING}{run}")


def making_model(wildcards):
    """Return the plan of the pretraining or extension that a path stands for."""
    return planned("models/{model}/seed{seed}".format_map(dict(wildcards.items())))


def that_fits(job):
    """Return an input function that asks for no file and refuses a training that no GPU of the cluster holds.

    `job` is the function that returns the plan of that training. What cannot fit stops only those who ask for it.
    """

    def refuse(wildcards):
        found = list(job_plan.problems([job(wildcards)], GPU_MODEL))
        if found and ON_CLUSTER and workflow.is_main_process:
            raise WorkflowError("\n".join(TOO_LARGE))
        return []

    return refuse


def walltime(minutes, attempt):
    """Return the minutes of an attempt, never more than the queues allow (`longest_minutes` of the profile)."""
    return min(LONGEST_MINUTES, minutes * attempt)
