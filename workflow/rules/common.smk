# The study, and the functions that several rules share.
#
# needs  the configuration
from glmflow import config as study_config
from glmflow.provenance import record_command
from glmflow.status import expect_jobs, write_page

# What a study will need can be asked, its data downloaded, and other studies shown, before its files are there.
BEFORE_FILES = {"plan", "fetch", "prefetch", "overview"} & set(sys.argv)
# Such a call, or one that clears up, makes nothing of the study: neither its status nor how it was made changes by it.
ASIDE = BEFORE_FILES | {"clean_checkpoints"} & set(sys.argv)

try:
    CHECKPOINTS = study_config.read_checkpoints(REPOSITORY / "config" / "models.yaml")
    DOWNLOADS = CHECKPOINTS | study_config.listed_text_models()
    STUDY = study_config.check_study(
        config,
        (workflow.configfiles or [None])[-1],
        CHECKPOINTS,
        workflow.config_settings.config,
    )
    if workflow.is_main_process and not BEFORE_FILES:
        from glmflow.checks.study_files import check_inputs

        check_inputs(STUDY, (workflow.configfiles or [None])[-1])
except InputError as error:
    raise WorkflowError(str(error)) from None

RESULTS = STUDY.results
DATA = STUDY.data
RUNS, MISFITS = study_config.expand_runs(STUDY)
if workflow.is_main_process:
    for misfit in MISFITS:
        logger.warning(
            f"Left out: {misfit.task}/{misfit.model}/{misfit.adaptation}: {misfit.reason}."
        )
STEPS = {"baseline": "baseline", "zero-shot": "predict"}
EXPECTED = [
    f"{STEPS.get(STUDY.adaptations[run.adaptation].kind, 'finetune')}/{run.label}"
    for run in RUNS
]
RUN_FOLDERS = [run.folder(RESULTS) for run in RUNS]
EXPORTED = [label for label, task in STUDY.tasks.items() if task.exports]
SHOWN_TRACKS = study_config.shown_tracks(STUDY)
PAGES = study_config.pages(STUDY)
CONFIG_FILE = (workflow.configfiles or ["config/config.yaml"])[-1]
COMMAND = "snakemake --cores all"
if workflow.overwrite_configfiles:
    COMMAND += f" --configfile {CONFIG_FILE}"
SIMULATED_TRACKS = [
    Path(file).name for track in DATA.tracks.values() for file in track.replicates
]
SEEDS = sorted({run.seed for run in RUNS})

# A pattern that matches nothing, for wildcards whose list is empty.
NONE = "(?!)"


def up_to(cores):
    """Return how many of that many cores a step may take here: one is left, so that it does not wait for trainings to end."""
    here = workflow.resource_settings.cores
    return cores if here is None else max(1, min(cores, here - 1))


def any_of(labels):
    """Return the pattern of a wildcard that is one of these labels."""
    return "|".join(map(re.escape, labels)) or NONE


def labels_of_kind(*kinds):
    """Return the pattern of the adaptations of some kinds."""
    return any_of(
        label for label, item in STUDY.adaptations.items() if item.kind in kinds
    )


TRAINED = labels_of_kind(*study_config.TRAINED)
SWEPT = [label for label, item in STUDY.adaptations.items() if item.sweep]
TRAINED_ONCE = any_of(
    label
    for label, item in STUDY.adaptations.items()
    if item.kind in study_config.TRAINED and not item.sweep
)
ZERO_SHOT = labels_of_kind("zero-shot")
BASELINE = labels_of_kind("baseline")


wildcard_constraints:
    study=any_of([STUDY.study]),
    task=any_of(STUDY.tasks),
    model=any_of(STUDY.models),
    adaptation=any_of(STUDY.adaptations),
    track=any_of(DATA.tracks),
    seed=r"\d+",
    trial=r"\d+",


def run_of(wildcards):
    """Return the run that the wildcards of a path stand for."""
    return study_config.Run(
        wildcards.task, wildcards.model, wildcards.adaptation, int(wildcards.seed)
    )


def run_settings(wildcards):
    """Return everything of the configuration that a run, or a trial of its sweep, depends on."""
    study = STUDY
    if "trial" in wildcards.keys():
        study = study_config.study_of_trial(
            STUDY, wildcards.adaptation, int(wildcards.trial)
        )
    return study_config.run_settings(study, run_of(wildcards))


def score_settings(wildcards):
    """Return everything of the configuration that the scores of a run depend on."""
    return study_config.score_settings(STUDY, run_of(wildcards))


def files_of(step):
    """Return an input function that gives the files which the kind of a task names for a step."""

    def files(wildcards):
        run = run_of(wildcards) if "model" in wildcards.keys() else None
        return STUDY.tasks[wildcards.task].files(STUDY, wildcards.task, step, run)

    return files


def regions_drawn(wildcards):
    """Return the regions of the splits where drawing them takes the genome's sequence; nothing else needs them here."""
    by = STUDY.splits.by if STUDY.splits else None
    asked = by == "homology" and STUDY.tasks[wildcards.task].genome
    return f"results/{wildcards.study}/examples/regions.tsv" if asked else []


def checkpoint_folder(wildcards):
    """Return the model folder a run starts from, or nothing where it starts from random weights."""
    return model_folder(wildcards.model, wildcards.seed)


def judge_folders(wildcards):
    """Return the folders of the models that are asked about what the runs of a task predict."""
    judges = STUDY.tasks[wildcards.task].judges(STUDY, wildcards.task)
    return {name: model_folder(*model) for name, model in judges.items()}


def model_folder(label, seed):
    """Return the folder of a model, or nothing where it starts from random weights."""
    model = STUDY.models[label]
    if model.origin in ("pretrain", "extend"):
        return f"{RESULTS}/models/{label}/seed{seed}"
    if model.origin == "checkpoint":
        return (
            f"resources/models/{model.checkpoint}"
            if "/" not in model.checkpoint
            else model.checkpoint
        )
    return []


def compared_with(wildcards):
    """Return what the runs are that a task's are compared with, themselves and their controls among them."""
    return study_config.compared_runs(STUDY, wildcards.task)


def of_own_comparison(name):
    """Return an input function: a file of every run, or the examples, where a kind has comparisons of its own."""

    def files(wildcards):
        if not STUDY.tasks[wildcards.task].compares:
            return []
        if name == "examples":
            return f"{RESULTS}/examples/{wildcards.task}.parquet"
        return [
            f"{run.folder(RESULTS)}/{name}" for run in STUDY.runs_of(wildcards.task)
        ]

    return files


def trials_of(wildcards, name):
    """Return a file or folder of every trial of a run, in their order."""
    count = len(study_config.trials(STUDY.adaptations[wildcards.adaptation]))
    return collect(
        "{folder}/trials/{trial}/{name}",
        folder=run_of(wildcards).folder(RESULTS),
        name=name,
        trial=range(1, 1 + count),
    )
