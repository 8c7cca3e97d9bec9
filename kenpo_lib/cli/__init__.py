"""The command line: arguments → one call → one summary. Only these modules know folder names.

Errors go to stderr without a traceback, data to stdout. Exit codes: 0 done, 1 some pages failed, 2 bad input or usage,
3 validation stopped it, 130 interrupted. What a command needs it imports itself, so that help and usage errors wait for nothing.
"""

from kenpo_lib.cli.data import curate, seal, validate
from kenpo_lib.cli.machine import doctor
from kenpo_lib.cli.output import prepare_streams
from kenpo_lib.cli.pages import report, verify
from kenpo_lib.cli.root import cli
from kenpo_lib.cli.tables import compare, incentive, params

__all__ = ["cli", "main"]

for command in (curate, validate, compare, incentive, report, seal, verify, doctor, params):
    cli.add_command(command)


def main() -> None:
    """Entry point of ``kenpo``."""
    prepare_streams()
    cli()
