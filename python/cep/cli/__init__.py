"""The ``cep`` command. Each subcommand has a separate file."""

import click

from cep._cep import __version__
from cep.cli.gdu import gdu
from cep.cli.plot import plot
from cep.cli.reproduce import reproduce
from cep.cli.runs import runs
from cep.cli.sweep import sweep
from cep.cli.train import train
from cep.cli.tune import tune


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cep() -> None:
    """Equilibrium Propagation with continual weight updates.

    Train networks that relax to a steady state, first freely, then nudged towards the target. The
    updates are local to each synapse (Ernoult et al., 2020, arXiv 2005.04168).

    \b
    Start with:  cep train                          C-EP on 1,797 handwritten digits, seconds
                 cep train --data mnist --rule ep   the paper's EP-1h, minutes
                 cep gdu                            compare updates and gradients per step
                 cep train --run-dir runs/first     a run that can be resumed and plotted
                 cep runs runs                      a table of runs and their results
                 cep sweep --param seed=0:5 --run-dir sweeps/seeds
                 cep tune --trials 30           search for learning rates and β
                 cep reproduce C-EP-1h              a row of the paper's table
    """  # noqa: D301 (click needs a real \b)


cep.add_command(train)
cep.add_command(sweep)
cep.add_command(tune)
cep.add_command(gdu)
cep.add_command(runs)
cep.add_command(plot)
cep.add_command(reproduce)
