"""Free GPUs, locked on their node."""

import subprocess
import sys
from pathlib import Path

import pytest
from snakemake_executor_plugin_pbs import gpus
from snakemake_executor_plugin_pbs.gpus import Gpu, choose, read_gpus, take

FOUR = "0, GPU-a, 4\n1, GPU-b, 20000\n2, GPU-c, 0\n3, GPU-d, 3\n"


def test_what_nvidia_smi_prints():
    assert read_gpus(FOUR)[1] == Gpu(1, "GPU-b", 20_000) and len(read_gpus(FOUR)) == 4
    assert read_gpus("0, GPU-a, [N/A]\nNo devices were found\n") == [Gpu(0, "GPU-a", 0.0)]


def test_gpus_in_use_and_locked_ones_are_passed_over(tmp_path):
    found = read_gpus(FOUR)
    assert [gpu.uuid for gpu in take(2, found, tmp_path)] == ["GPU-a", "GPU-c"]
    assert [gpu.uuid for gpu in take(1, found, tmp_path)] == ["GPU-d"]
    assert take(1, found, tmp_path) == []


def test_none_is_kept_where_there_are_too_few(tmp_path):
    found = read_gpus(FOUR)
    assert take(4, found, tmp_path) == []
    assert len(take(3, found, tmp_path)) == 3


def test_those_in_use_are_taken_when_waiting_was_in_vain(tmp_path, capsys):
    found = [Gpu(0, "GPU-a", 30_000), Gpu(1, "GPU-b", 20_000)]
    assert choose(1, lambda: found, tmp_path, patience=0) == [Gpu(1, "GPU-b", 20_000)]
    assert "taking those in use (GPU 1: 20000 MB)" in capsys.readouterr().out


def test_a_node_without_enough_gpus_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"3 GPUs are asked for, this node .* has 1"):
        choose(3, lambda: [Gpu(0, "GPU-a", 0)], tmp_path, patience=0)


def start(folder, wanted, command):
    smi = folder / "bin/nvidia-smi"
    smi.parent.mkdir(exist_ok=True)
    smi.write_text(f"#!/bin/sh\nprintf '{FOUR.replace(chr(10), chr(92) + 'n')}'\n")
    smi.chmod(0o755)
    return subprocess.Popen(
        [sys.executable, Path(gpus.__file__), str(wanted), "bash", "-c", command],
        env={"PATH": f"{smi.parent}:/usr/bin:/bin", "GLMFLOW_GPU_LOCKS": str(folder / "locks")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_jobs_that_start_at_once_get_different_gpus_and_give_them_back(tmp_path):
    command = 'echo "$CUDA_VISIBLE_DEVICES"; read _'
    jobs = [start(tmp_path, 1, command) for _ in range(3)]
    lines = [(job.stdout.readline(), job.stdout.readline().strip()) for job in jobs]
    assert sorted(line[1] for line in lines) == ["GPU-a", "GPU-c", "GPU-d"]
    assert all(line[0].startswith("GPUs of ") for line in lines)
    for job in jobs:
        job.communicate("\n", timeout=10)
    again = start(tmp_path, 3, 'echo "$CUDA_VISIBLE_DEVICES"')
    assert again.communicate(timeout=20)[0].splitlines()[1] == "GPU-a,GPU-c,GPU-d"


def test_without_nvidia_smi_nothing_is_chosen_and_the_job_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, gpus.__file__, "1", "/bin/sh", "-c", "echo ${CUDA_VISIBLE_DEVICES-unset}"],
        env={"PATH": "/nowhere", "GLMFLOW_GPU_LOCKS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[1] == "unset" and "nvidia-smi cannot be asked" in done.stdout
