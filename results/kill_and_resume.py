"""Kill ten runs at random moments, resume them, and compare them with an uninterrupted one.

C-VF on the digits, with a random sign of β for each batch. Prints a table with hashes of the final
parameters, and writes it to kill_and_resume.md beside this file:

    python results/kill_and_resume.py
"""

import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cep
from cep.experiments import RunDirectory, checkpoints

HERE = Path(__file__).resolve().parent
CONFIGURATION = cep.Configuration(
    hidden=(256,),
    rule="c-ep",
    relaxation="synchronous",
    free_steps=50,
    nudged_steps=10,
    feedback="untied",
    feedback_angle=22.5,
    beta_sign="random",
    learning_rates=(0.03, 0.008),
    epochs=20,
)
PROGRAM = """
import sys, cep
configuration = cep.Configuration.from_json(sys.argv[1])
cep.run(configuration, sys.argv[2], resume=True, checkpoint_every=10, progress=False)
"""
COMMENT = f"""# Kill and resume

Written by `python results/kill_and_resume.py`: C-VF on the digits, {CONFIGURATION.epochs} epochs
of 72 batches, and a checkpoint every 10 batches. Each run was killed (SIGKILL) at a random moment
and resumed. The first column shows its last checkpoint at that moment. The hashes are SHA-256 of
all parameters after the last epoch. They are the same on each machine with the same instruction
set.
"""


def main() -> None:
    alone = cep.run(CONFIGURATION, progress=False)
    expected = parameter_hash(alone.network)
    lines = [COMMENT, "| killed after | SHA-256 | equal |", "|---|---|---|"]
    lines.append(f"| (not at all) | `{expected}` | |")
    print("\n".join(lines))
    random.seed(0)
    for _ in range(10):
        with tempfile.TemporaryDirectory() as folder:
            directory = RunDirectory(Path(folder) / "run")
            place = killed(directory, random.uniform(0, 0.8) * alone.seconds)
            result = cep.run(CONFIGURATION, directory.path, resume=True, progress=False)
            found = parameter_hash(result.network)
        lines.append(f"| {place} | `{found}` | {'yes' if found == expected else 'NO'} |")
        print(lines[-1], flush=True)
    (HERE / "kill_and_resume.md").write_text("\n".join(lines) + "\n")
    equal = sum("| yes |" in line for line in lines)
    print(f"{equal} of 10 equal")
    sys.exit(equal != 10)


def killed(directory: RunDirectory, seconds: float) -> str:
    """Start a run, kill it some seconds after its first checkpoint, and describe the last one."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, CONFIGURATION.to_json(), str(directory.path)]
    )
    while not directory.last.exists() and process.poll() is None:
        time.sleep(0.001)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    if process.wait() != -signal.SIGKILL:
        raise RuntimeError("the run had ended before it could be killed")
    checkpoint = checkpoints.load(directory.last)
    return f"{len(checkpoint.history)} epochs, {checkpoint.position.batch} batches"


def parameter_hash(net: cep.Network) -> str:
    digest = hashlib.sha256()
    for array in net.parameters():
        digest.update(json.dumps([array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
