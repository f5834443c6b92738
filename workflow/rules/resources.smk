# What every training run will need; a cluster is not asked for what cannot fit.
from glmflow.training import plan as training_plan


def profile_resource(name):
    """Return a default resource of the profile as text, or None without one."""
    defaults = workflow.resource_settings.default_resources
    if defaults is None or name not in defaults:
        return None
    return str(defaults[name].raw).strip("'\"") or None


GPU_MODEL = profile_resource("gpu_model")

try:
    JOBS = {job.name: job for job in training_plan.plan(STUDY, CHECKPOINTS, GPU_MODEL)}
    TOO_LARGE = list(training_plan.problems(list(JOBS.values()), GPU_MODEL))
except InputError as error:
    raise WorkflowError(str(error)) from None

if TOO_LARGE and GPU_MODEL and workflow.is_main_process and not PLANNING:
    raise WorkflowError("\n".join(TOO_LARGE))


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


def making_model(wildcards):
    """Return the plan of the pretraining or extension that a path stands for."""
    return planned("models/{model}/seed{seed}".format_map(dict(wildcards.items())))
