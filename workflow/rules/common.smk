from glmflow import config as study_config
from glmflow.provenance import record_command
from glmflow.status import expect_jobs, write_page

# What a study will need can be asked before its files are there.
PLANNING = "plan" in sys.argv

try:
    CHECKPOINTS = study_config.read_checkpoints(
        Path(workflow.basedir) / "config" / "models.yaml"
    )
    STUDY = study_config.check_study(
        config, (workflow.configfiles or [None])[-1], CHECKPOINTS
    )
    if workflow.is_main_process and not PLANNING:
        from glmflow.inputs import check_inputs

        check_inputs(STUDY, (workflow.configfiles or [None])[-1])
except InputError as error:
    raise WorkflowError(str(error)) from None

RESULTS = STUDY.results
DATA = study_config.resolve_data(STUDY)
RUNS, MISFITS = study_config.expand_runs(STUDY)
if workflow.is_main_process:
    for misfit in MISFITS:
        logger.warning(
            f"Left out: {misfit.task}/{misfit.model}/{misfit.adaptation}: {misfit.reason}."
        )
EXPECTED = [
    f"{'baseline' if STUDY.models[run.model].origin == 'baseline' else 'finetune'}/{run.label}"
    for run in RUNS
]
RUN_FOLDERS = [run.folder(RESULTS) for run in RUNS]
TRACK_TASKS, PERSONAL_TASKS, CONTEXT_TASKS = (
    [label for label, task in STUDY.tasks.items() if task.kind == kind]
    for kind in ("rnaseq_tracks", "snp2gex", "context_extension")
)
CAUSAL_FOLDERS = [run.folder(RESULTS) for run in RUNS if run.task in PERSONAL_TASKS]
HACKATHON = study_config.hackathon_of(STUDY)
CONFIG_FILE = (workflow.configfiles or ["config/config.yaml"])[-1]
COMMAND = "snakemake --cores all"
if workflow.overwrite_configfiles:
    COMMAND += f" --configfile {CONFIG_FILE}"
SIMULATED_TRACKS = [
    Path(file).name for track in DATA.tracks.values() for file in track.replicates
]
LONGEST_WINDOW = max(task.window_bp for task in STUDY.tasks.values())
SEEDS = sorted({run.seed for run in RUNS})

# A pattern that matches nothing, for wildcards whose list is empty.
NONE = "(?!)"


def any_of(labels):
    """Return the pattern of a wildcard that is one of these labels."""
    return "|".join(map(re.escape, labels)) or NONE


def labels_of_kind(*kinds):
    """Return the pattern of the adaptations of some kinds."""
    return any_of(
        label for label, item in STUDY.adaptations.items() if item.kind in kinds
    )


TRAINED = labels_of_kind("full", "lora", "probe")
SWEPT = [label for label, item in STUDY.adaptations.items() if item.sweep]
TRAINED_ONCE = any_of(
    label
    for label, item in STUDY.adaptations.items()
    if item.kind in ("full", "lora", "probe") and not item.sweep
)
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


def tracks_of(task):
    """Return the names of a task's tracks."""
    return study_config.tracks_of(STUDY, task)


def averaged_tracks(wildcards):
    """Return the averaged bigWigs of a task."""
    return collect(f"{RESULTS}/tracks/{{track}}.bw", track=tracks_of(wildcards.task))


def training_haplotypes(wildcards):
    """Return the variants of the people whose haplotypes a track task learns from; nothing where it does not."""
    return f"{RESULTS}/cohort/store" if STUDY.tasks[wildcards.task].haplotypes else []


def training_people(wildcards):
    """Return the table of the people whose haplotypes a track task learns from; nothing where it is all or none."""
    return DATA.cohort.samples or [] if training_haplotypes(wildcards) else []


def checkpoint_folder(wildcards):
    """Return the model folder a run starts from, or nothing where it starts from random weights."""
    return model_folder(wildcards.model, wildcards.seed)


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


def simulated_truth(wildcards):
    """Return the truth behind a simulated matrix of expression, or nothing where it was measured."""
    if STUDY.simulate and not STUDY.tasks[wildcards.task].expression:
        return f"{RESULTS}/simulated/truth"
    return []


def elastic_net_variants(wildcards):
    """Return the weights of the elastic net of a task, or nothing where it is not run (or is the run itself)."""
    for run in RUNS:
        baseline = STUDY.models[run.model].baseline
        if run.task == wildcards.task and baseline and baseline.kind == "elastic_net":
            if run.model != wildcards.model:
                return f"{run.folder(RESULTS)}/variants.tsv"
    return []


def trials_of(wildcards, name):
    """Return a file or folder of every trial of a run, in their order."""
    count = len(study_config.trials(STUDY.adaptations[wildcards.adaptation]))
    return collect(
        "{folder}/trials/{trial}/{name}",
        folder=run_of(wildcards).folder(RESULTS),
        name=name,
        trial=range(1, 1 + count),
    )
