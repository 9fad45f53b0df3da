#!/bin/bash
# A search on several nodes of SLURM: sbatch slurm.sh
#SBATCH --job-name=tfcourse
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

# The environment with `pip install 'tfcourse[ray]'`, the same on all nodes.
source "$HOME/venv/bin/activate"
out="$HOME/runs/digits"

# Who does not know the token can give the cluster nothing to do.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN

search="tfcourse tune --data digits --trials 512 --out $out"
if [ -e "$out/run.json" ]; then
    # The job ran before, and was broken off: it goes on.
    search="tfcourse tune --resume --out $out"
fi

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
# Begins Ray on every node, the search on the first, and ends Ray with it.
# It ends every Ray of yours on these nodes, so the job has them for itself.
srun ray symmetric-run \
    --address "$head:6379" \
    --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus "$SLURM_CPUS_PER_TASK" \
    -- $search --ray auto --cpus-per-worker 2
