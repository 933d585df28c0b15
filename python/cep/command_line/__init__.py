"""The ``cep`` command: one file a subcommand."""

import click

from cep import __version__
from cep.command_line.gdu import gdu
from cep.command_line.train import train


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cep() -> None:
    r"""Equilibrium Propagation with continual weight updates.

    Train networks that learn by relaxing: first freely, then nudged towards the target, with
    updates that are local to each synapse (Ernoult et al., 2020, arXiv 2005.04168).

    \b
    Start with:  cep train                          C-EP on 1,797 handwritten digits, seconds
                 cep train --data mnist --rule ep   the paper's EP-1h, minutes
                 cep gdu                            updates beside gradients, step by step
    """


cep.add_command(train)
cep.add_command(gdu)
