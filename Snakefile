# From phased VCFs, a genome and bigWig tracks to fine-tuned, fairly compared genomic language models.
import atexit
import functools
import gc
import sys
import time
from pathlib import Path

from snakemake import sourcecache
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import min_version

min_version("9.20")

# Two things took almost half of the time until a study of a thousand jobs is planned (benchmark/benchmark_start.py):
# the search of the DAG, which is no garbage, for garbage, again and again and once more at the end; and the place of
# each script in Snakemake's cache, worked out three times for every job from the same few paths.
gc.set_threshold(50_000, 20, 100)
atexit.register(gc.freeze)
if hasattr(sourcecache, "parse_uri"):
    sourcecache.parse_uri = functools.cache(sourcecache.parse_uri)
# The folder of this file, also where another Snakefile uses this one as a module.
REPOSITORY = Path(workflow.current_basedir.get_path_or_uri(secret_free=False))
LIBRARY = str(REPOSITORY / "workflow" / "scripts")
sys.path.insert(0, LIBRARY)

from glmflow.config import read_yaml
from glmflow.errors import InputError
from glmflow.job_library import use_in_jobs

use_in_jobs(LIBRARY)

# A study is complete in itself: the demo is loaded only where no other file is given.
# Snakemake names no line of broken YAML; of a file given by --configfile, which it reads first, `glmflow check` does.
if not workflow.overwrite_configfiles:
    if Path("config/config.yaml").exists():
        try:
            read_yaml("config/config.yaml")
        except InputError as error:
            raise WorkflowError(str(error)) from None

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


# Says no more than which Python it is, for whoever lints: jobs run in the environment that snakemake was started from.
container: "docker://python:3.11"


if DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method:
    raise WorkflowError(
        "--sdm apptainer: jobs take the environment that snakemake was started from. Leave it out, or run snakemake itself "
        "in the image (docs/environments.md)."
    )


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/examples.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/apply.smk"
include: "workflow/rules/zero_shot.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/upkeep.smk"


rule all:
    default_target: True
    input:
        f"{RESULTS}/report/index.html",
        PREDICTIONS,
        ANSWERS,
    localrule: True


rule metrics:
    input:
        collect("{folder}/metrics.tsv", folder=RUN_FOLDERS),
    localrule: True


STARTED = time.time()


onstart:
    # Snakemake's limit of 100 jobs a second looks for jobs to start once more a second for every job that has ended, until
    # a core does nothing else. No study starts jobs at such a rate; a limit that was asked for is kept.
    given = workflow.scheduling_settings.max_jobs_per_timespan
    if given and (given.max_jobs, given.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
    if not ASIDE:
        record_command(RESULTS, sys.argv)
        expect_jobs(RESULTS, EXPECTED)
        print(f"Status of every job: {RESULTS}/status.html", flush=True)


onsuccess:
    if not ASIDE:
        write_page(RESULTS)
        page = Path(RESULTS, "report", "index.html")
        if page.exists() and page.stat().st_mtime > STARTED:
            print(f"Written: {page}", flush=True)


onerror:
    if not ASIDE:
        write_page(RESULTS)
