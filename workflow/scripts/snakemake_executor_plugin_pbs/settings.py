"""Keys of the profile: what a cluster names in its own way."""

# ruff: noqa: UP045 (Snakemake makes command-line options of these types, and knows `str | None` not)

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=True,
    auto_deploy_default_storage_provider=False,
)


def _key(text: str, **more: Any) -> Any:
    """Return a field of the settings that is not given by default."""
    return field(default=None, metadata={"help": text, **more})


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """Options `--pbs-*`, and keys `pbs-*` of a profile.

    A resource of the same name (without `pbs-`), in `default-resources` or of a single rule, counts more.
    """

    queue: Optional[str] = _key("Queue of all jobs (qsub -q). Default: the server's default queue.")
    gpu_queue: Optional[str] = _key("Queue of jobs with GPUs. Default: that of all jobs.")
    project: Optional[str] = _key("Project (qsub -P).")
    account: Optional[str] = _key("Account (qsub -A).")
    cpus_per_gpu: Optional[int] = _key("CPUs of a GPU job, by GPU. Default: the threads of its rule.")
    gpu_resource: Optional[str] = _key("Name of the resource that holds the type of GPU. Default: gpu_model.")
    gpu_level: Optional[str] = _key(
        "Where the type of GPU stands: in each chunk of -l select (select) or in a -l of its own (job).",
        choices=["select", "job"],
    )
    select: Optional[str] = _key("false: -l ncpus=,mem=,ngpus= instead of -l select.")
    qsub_extra: Optional[str] = _key("Further arguments of qsub, as in a shell.")
    umask: Optional[str] = _key("Umask of the jobs, in three or four octal digits. Default: the submitter's.")
    site: Optional[str] = _key("A file that every job sources first: modules, variables.")


class Keys(NamedTuple):
    """The keys as they hold for one job; empty text: not given."""

    queue: str = ""
    project: str = ""
    account: str = ""
    cpus_per_gpu: int = 0
    gpu_resource: str = "gpu_model"
    gpu_level: str = "select"
    select: bool = True
    qsub_extra: tuple[str, ...] = ()


def keys_of(resources: Mapping[str, Any], settings: ExecutorSettings) -> Keys:
    """Return the keys for a job: its resources count more than the settings.

    Raises
    ------
    WorkflowError
        A key has a value that cannot be used.
    """

    def value(name: str) -> str:
        given = resources.get(name)
        if given is None or str(given).strip() == "":
            given = getattr(settings, name)
        return "" if given is None else str(given).strip()

    queue = (value("gpu_queue") if int(resources.get("gpu", 0) or 0) else "") or value("queue")
    level = value("gpu_level") or "select"
    if level not in ("select", "job"):
        raise WorkflowError(f"gpu_level is {level}; it can be select or job")
    cpus = value("cpus_per_gpu") or "0"
    if not cpus.isdigit():
        raise WorkflowError(f"cpus_per_gpu is {cpus}; it is a whole number")
    try:
        extra = tuple(shlex.split(value("qsub_extra")))
    except ValueError as error:
        raise WorkflowError(f"qsub_extra cannot be split into arguments ({error}): {value('qsub_extra')}") from None
    return Keys(
        queue=queue,
        project=value("project"),
        account=value("account"),
        cpus_per_gpu=int(cpus),
        gpu_resource=value("gpu_resource") or "gpu_model",
        gpu_level=level,
        select=truth(value("select") or "true", "select"),
        qsub_extra=extra,
    )


def truth(text: str, name: str) -> bool:
    """Return yes or no from the words that YAML has for them."""
    word = text.lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise WorkflowError(f"{name} is {text}; it can be true or false")


def umask_of(given: str | None, own: int) -> str:
    """Return the umask of the jobs in four octal digits: the given one, else `own`.

    Raises
    ------
    WorkflowError
        It is not written in three or four octal digits (YAML turns 027 without quotes into 23).
    """
    if not given:
        return f"{own:04o}"
    if not re.fullmatch("0?[0-7]{3}", given):
        raise WorkflowError(f"pbs-umask is {given}; write three or four octal digits in quotes, as in '022'")
    return given.zfill(4)
