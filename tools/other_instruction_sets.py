"""Print the instruction sets of this processor that cep does not choose by default."""

import os
import subprocess
import sys

import cep

TRY = "import cep; cep.Network([1, 1, 1])"


def works(name: str) -> bool:
    """Whether the engine starts with this instruction set."""
    environment = os.environ | {"CEP_INSTRUCTION_SET": name}
    done = subprocess.run(
        [sys.executable, "-c", TRY], env=environment, capture_output=True, check=False
    )
    return done.returncode == 0


for each in ("baseline", "avx2", "avx512"):
    if each != cep.instruction_set() and works(each):
        print(each)
