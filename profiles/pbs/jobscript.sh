#!/bin/bash
# properties = {properties}
# PBS starts jobs with the PATH of a login shell; the submitter's own is kept in PBS_O_PATH.
export PATH="$PBS_O_PATH"
# Compute nodes have no internet: never try the Hugging Face hub.
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1
# What torch compiles is kept on the node's own disk (model weights go there by themselves: models/node_disk.py).
if [ -n "$TMPDIR" ]; then
    export TRITON_CACHE_DIR="$TMPDIR/triton" TORCHINDUCTOR_CACHE_DIR="$TMPDIR/torchinductor"
fi

# A subshell, so that its exit code is recorded. A job killed by PBS (walltime, node loss) leaves no record: it has failed.
(
{exec_job}
)
code=$?
mkdir -p "$PBS_O_WORKDIR/logs/pbs"
echo "$code" > "$PBS_O_WORKDIR/logs/pbs/$PBS_JOBID.exit.tmp"
mv "$PBS_O_WORKDIR/logs/pbs/$PBS_JOBID.exit.tmp" "$PBS_O_WORKDIR/logs/pbs/$PBS_JOBID.exit"
exit "$code"
