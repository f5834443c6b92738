# Sourced by every PBS job before anything else, on its node. For what your cluster needs there, for example:
# module load cuda
# export HF_HOME=/scratch/$USER/huggingface
