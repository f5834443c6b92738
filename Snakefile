# From phased VCFs, a genome and bigWig tracks to fine-tuned, fairly compared genomic language models.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.20")
sys.path.append(str(Path(workflow.basedir) / "workflow" / "scripts"))

from glmflow.config import read_yaml
from glmflow.errors import InputError

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


container: "docker://python:3.12"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/tracks.smk"
include: "workflow/rules/examples.smk"
include: "workflow/rules/personal.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/context.smk"
include: "workflow/rules/adapt.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/personal_models.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        f"{RESULTS}/report/index.html",
        collect("{folder}/causal.tsv", folder=CAUSAL_FOLDERS),
        PREDICTIONS,
    localrule: True


rule metrics:
    input:
        collect("{folder}/metrics.tsv", folder=RUN_FOLDERS),
        collect("{folder}/causal.tsv", folder=CAUSAL_FOLDERS),
    localrule: True


onstart:
    record_command(RESULTS, sys.argv)
    expect_jobs(RESULTS, EXPECTED)
    print(f"Status of every job: {RESULTS}/status.html", flush=True)


onsuccess:
    write_page(RESULTS)


onerror:
    write_page(RESULTS)
