"""The theorem experiments of Ernoult et al. (2020), appendix E.6: all rules in both settings.

784-512-10, tanh, batch 1, on MNIST. Prints the tables, and writes theorem.md and its figures to
this folder:

    CEP_DATA=folder/with/mnist python results/theorem.py
"""

from pathlib import Path

import matplotlib as mpl

from cep import reproduction

HERE = Path(__file__).resolve().parent
COMMENT = """# Theorem experiments

Written by `python results/theorem.py`. The network is 784-512-10 with tanh, the batch is the
first test image of MNIST, and the seed is 0. The feedback of VF and C-VF starts at an angle of
0°. Relative errors are |updates − (−gradients)| / |gradients| over all steps and entries. The
angle is between the total update and the negative total gradient of all weights.
"""


def main() -> None:
    mpl.rcParams["svg.hashsalt"] = "cep"
    lines, pictures = [], []
    for setting in ("prototypical", "real-time"):
        curves = reproduction.gdu(setting)
        print(f"{curves}\n")
        headings, rows = curves.table()
        if not lines:
            lines += [f"| setting | {' | '.join(headings)} |", "|---" * (len(headings) + 1) + "|"]
        lines += [f"| {setting} | {' | '.join(row)} |" for row in rows]
        curves.plot().savefig(HERE / f"theorem-{setting}.svg", metadata={"Date": None})
        pictures.append(f"![curves in the {setting} setting](theorem-{setting}.svg)")
    (HERE / "theorem.md").write_text("\n".join([COMMENT, *lines, "", *pictures, ""]))


if __name__ == "__main__":
    main()
