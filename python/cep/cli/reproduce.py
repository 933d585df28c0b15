"""``cep reproduce``."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from cep import reproduction
from cep._engine.words import SETTINGS
from cep.cli import options
from cep.experiments import RunOutcome, presets
from cep.experiments.presets import Preset
from cep.plotting import plots
from cep.reproduction import report
from cep.reproduction.figure_files import Drawable
from cep.reproduction.hardware_study import PANELS
from cep.reproduction.trials import Trials
from cep.training.progress import shows_bars


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--table", is_flag=True, help="Every row of the paper's table.")
@click.option(
    "--figure",
    type=click.Choice(["angles", "gdu", "correlation", "hardware"]),
    help="angles: Fig. 4, for C-VF-1h or the NAME given. gdu: Fig. 5b. correlation: Fig. 5a, for "
    "EP-1h, C-EP-1h and C-VF-1h or the NAMEs given. hardware: a study of imperfect devices.",
)
@click.option(
    "--seeds", type=int, help="Number of seeds, from 0 on.  [default: 5; figures 1, hardware 3]"
)
@click.option(
    "--data",
    type=click.Choice(["digits", "mnist", "fashion_mnist", "kmnist"]),
    help="Training data of --figure hardware.  [default: digits]",
)
@click.option(
    "--panel",
    "panels",
    type=click.Choice(list(PANELS)),
    multiple=True,
    help="Panel of --figure hardware; can be given several times.  [default: all]",
)
@click.option("--samples", type=int, help="Training samples of --figure hardware.  [default: all]")
@click.option("--epochs", type=int, help="Epochs of each run.  [default: as published]")
@click.option("--with-bptt", is_flag=True, help="Also train each row with the exact gradient.")
@click.option(
    "--fixed-feedback",
    is_flag=True,
    help="With --figure angles, also train with feedback weights that do not learn.",
)
@click.option("--jobs", type=int, help="Runs at a time.  [default: one per processor]")
@click.option(
    "--run-dir",
    type=options.Home(file_okay=False),
    default="runs",
    show_default=True,
    metavar="DIR",
    help="Directory of runs, such as DIR/EP-1h/seed-0, and of figures, DIR/figures.",
)
@options.data_root
@click.option("--progress/--no-progress", default=True, help="Whether to show a progress bar.")
def reproduce(
    names: tuple[str, ...],
    table: bool,
    figure: str | None,
    with_bptt: bool,
    fixed_feedback: bool,
    run_dir: Path,
    data: str | None,
    panels: tuple[str, ...],
    samples: int | None,
    data_root: Path | None,
    progress: bool,
    **training: int | None,
) -> None:
    """Reproduce the table and figures of the paper.

    NAME is a published experiment, such as EP-1h or C-VF-2h. One line per run is printed when it
    ends. At the end, the test and training errors of every seed, their means and standard
    deviations, the published values and the time are printed. Runs that have ended are not
    repeated. The same command continues runs that were interrupted.
    """
    _check_together(names, table, figure, with_bptt, training)
    if names if figure == "hardware" else data or panels or samples is not None:
        raise click.UsageError(
            "--data, --panel and --samples need --figure hardware, which takes no NAME"
        )
    if fixed_feedback and figure != "angles":
        raise click.UsageError("--fixed-feedback needs --figure angles")
    if figure == "hardware" and data in (None, "digits") and data_root is not None:
        raise click.UsageError("--data-root has no effect on the digits: leave it out")
    given: dict[str, Any] = {name: value for name, value in training.items() if value is not None}
    with options.readable_errors():
        chosen = [presets.get(name) for name in dict.fromkeys(names)]
        if figure == "gdu":
            for setting in SETTINGS:
                _show(reproduction.gdu(setting, data_root=data_root), run_dir)
            return
        given |= {
            "directory": run_dir,
            "data_root": data_root,
            "progress": progress and shows_bars(),
            "on_run_end": _print_run,
        }
        trials: Iterable[Trials]
        with options.same_command_continues():
            if figure == "hardware":
                plots.new_figure()
                study = reproduction.hardware(
                    data or "digits", panels=panels or PANELS, samples=samples, **given
                )
                _show(study, run_dir)
                trials = study.trials.values()
            elif figure is None:
                trials = _rows(
                    chosen or list(map(presets.get, reproduction.TABLE)), with_bptt, given
                )
            else:
                if fixed_feedback:
                    given["fixed_feedback"] = True
                trials = _figure(figure, chosen, given, run_dir)
        if failed := sum(each.failed for each in trials):
            raise click.ClickException(f"runs that failed: {failed}; the same command repeats them")


def _check_together(
    names: Sequence[str],
    table: bool,
    figure: str | None,
    with_bptt: bool,
    training: dict[str, int | None],
) -> None:
    """Raise an error if options cannot be combined."""
    if (table and (names or figure)) or not (table or names or figure):
        raise click.UsageError("give NAMEs of published experiments, --table, or --figure")
    if figure is not None and with_bptt:
        raise click.UsageError("--with-bptt needs NAMEs or --table, not --figure")
    if figure == "angles" and len(names) > 1:
        raise click.UsageError(f"--figure angles takes one NAME, got {len(names)}")
    if figure == "gdu":
        useless = [f"--{name}" for name, value in training.items() if value is not None]
        if names or useless:
            raise click.UsageError(
                f"--figure gdu trains nothing: leave out {', '.join([*names, *useless])}"
            )


def _rows(chosen: Sequence[Preset], with_bptt: bool, given: dict[str, Any]) -> Iterable[Trials]:
    if with_bptt:
        chosen = [each for preset in chosen for each in (preset, preset.with_bptt())]
    rows = reproduction.reproduce_rows(chosen, **given)
    for row in rows:
        click.echo(f"\n{row}")
    if len(rows) > 1:
        click.echo(f"\n{report.summary(rows, options.columns())}")
    return rows


def _figure(
    figure: str, chosen: Sequence[Preset], given: dict[str, Any], run_dir: Path
) -> Iterable[Trials]:
    """Train the runs of a figure, and draw it."""
    # If matplotlib is missing, this fails before hours of training.
    plots.new_figure()
    if figure == "angles":
        sweep = reproduction.angles(chosen[0] if chosen else "C-VF-1h", **given)
        _show(sweep, run_dir)
        return [*sweep.trials.values(), *sweep.fixed.values()]
    correlation = reproduction.correlation(chosen or reproduction.ONE_HIDDEN_LAYER, **given)
    _show(correlation, run_dir)
    return [point.trials for point in correlation.points]


def _show(drawable: Drawable, run_dir: Path) -> None:
    click.echo(f"\n{drawable}")
    for path in reproduction.save(drawable, run_dir / "figures"):
        click.echo(f"figure         {path}")


def _print_run(outcome: RunOutcome) -> None:
    options.print_above_bars(report.run_line(outcome))
