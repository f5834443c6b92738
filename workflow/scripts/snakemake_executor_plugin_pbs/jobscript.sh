#!/bin/bash
# properties = {properties}
#{settings}
# PBS starts jobs with the PATH of a login shell; the submitter's own is kept in PBS_O_PATH.
export PATH="$PBS_O_PATH"
began=$(date +%s)
if [ "$PBS_ENVIRONMENT" = PBS_BATCH ]; then   # PBS counts from its login shell on, whose profile may take its time
    since=$(ps -o etimes= -p "$(ps -o sid= -p $$)" 2> /dev/null)
    [ "${since:-0}" -ge 0 ] 2> /dev/null && began=$((began - since))
fi
notes_folder=$PBS_O_WORKDIR/logs/pbs
number=${PBS_JOBID%%.*}   # the name of the server is long in one place and short in another
mkdir -p "$notes_folder/alive"
rm -f "$notes_folder/$number.exit"
export GLMFLOW_NOTES="$notes_folder/$number.notes"
# Earlier starts of this very job stay: PBS requeues a job whose node is lost, under the same number.
earlier=$(grep -s "^start .* ${job_key:-none}\$" "$GLMFLOW_NOTES")
printf '%s\n' ${earlier:+"$earlier"} "start $began $HOSTNAME $job_key" > "$GLMFLOW_NOTES"
[ -z "$job_umask" ] || umask "$job_umask"

# Compute nodes have no internet: never try the Hugging Face hub.
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1
# What torch compiles is kept on the node's own disk (model weights go there by themselves: models/node_disk.py).
if [ -n "$TMPDIR" ]; then
    export TRITON_CACHE_DIR="$TMPDIR/triton" TORCHINDUCTOR_CACHE_DIR="$TMPDIR/torchinductor"
fi
# When PBS will end this job, in seconds since the epoch: training saves and leaves before that.
[ -z "$job_seconds" ] || export GLMFLOW_DEADLINE=$((began + job_seconds))
if [ -n "$job_site" ]; then
    . "$job_site"
fi

finish() {
    [ -z "$beat" ] || kill "$beat" 2> /dev/null
    echo "$1" > "$notes_folder/$number.exit.tmp"
    mv "$notes_folder/$number.exit.tmp" "$notes_folder/$number.exit"
    [ -z "$alive" ] || [ "$(cat "$alive" 2> /dev/null)" != "$number" ] || mv "$alive" "$alive.ended"
    exit "$1"
}

# Another job that computes the same, and shows that it is alive within a minute, goes on; this one ends.
if [ -n "$job_key" ]; then
    alive=$notes_folder/alive/$job_key
    last=$(stat -c %Y "$alive" 2> /dev/null)
    other=$(cat "$alive" 2> /dev/null)
    touch "$notes_folder/alive/.now.$number"   # by the clock of the file server
    now=$(stat -c %Y "$notes_folder/alive/.now.$number")
    rm -f "$notes_folder/alive/.now.$number"
    if [ -n "$other" ] && [ "$other" != "$number" ] && [ $((now - last)) -lt 60 ]; then
        for _ in $(seq 18); do   # longer than two of the other's signs of life are apart
            sleep 2
            seen=$(stat -c %Y "$alive" 2> /dev/null) || break
            if [ "$seen" != "$last" ]; then
                echo "refused $other" >> "$GLMFLOW_NOTES"
                echo "Job $other computes the same output and is alive: this job ($number) does nothing."
                alive=
                finish 75
            fi
        done
    fi
    echo "$number" > "$alive"
    (trap - TERM; while sleep 15; do touch -c "$alive"; done) > /dev/null 2>&1 &
    beat=$!
fi

# GPUs of this job, where PBS itself does not say which: free ones, locked as long as it runs.
launcher=()
if [ "${job_gpus:-0}" -gt 0 ] && [ -z "$CUDA_VISIBLE_DEVICES" ] && [ -n "$job_chooser" ]; then
    launcher=("$job_python" "$job_chooser" "$job_gpus")
    export GLMFLOW_GPU_LAUNCHER="$(printf '%q ' "${launcher[@]}")"
fi

IFS= read -r -d '' body << 'END_OF_THE_JOB'
{exec_job}
END_OF_THE_JOB
# In the background, so that SIGTERM is noted when it comes. PBS sends it to every process of the job, not to this one alone.
trap 'echo "term $(date +%s)" >> "$GLMFLOW_NOTES"; [ -z "$beat" ] || kill "$beat" 2> /dev/null' TERM
"${launcher[@]}" bash -c "$body" < /dev/null &
job=$!
while wait "$job"; code=$?; [ "$code" -gt 128 ] && kill -0 "$job" 2> /dev/null; do :; done
finish "$code"
