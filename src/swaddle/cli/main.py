"""The one program: finds the command, runs it, and turns errors into three lines and an exit status.

Commands are loaded when asked for, so `--help` is quick and the gateway's process never loads what it must not know.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from swaddle.errors import OurBug, SwaddleError

COMMANDS: dict[str, tuple[str, str, str]] = {
    # name: (module, attribute, one line for --help)
    "demo": ("swaddle.cli.demo", "command", "The whole story on one machine, proved."),
    "gateway": ("swaddle.cli.gateway", "group", "The blind exchange that faces the internet."),
    "registry": ("swaddle.cli.registry", "group", "The inside: pulls, checks, stores, gives back."),
    "enrol": ("swaddle.cli.submitter", "enrol", "Take up an invitation."),
    "check": ("swaddle.cli.submitter", "check", "Check files on this machine; nothing is sent."),
    "send": ("swaddle.cli.submitter", "send", "Seal and send files; resumes by itself."),
    "status": ("swaddle.cli.submitter", "status", "Where my transfers are."),
    "report": ("swaddle.cli.submitter", "report", "The quality report on a transfer."),
    "answer": ("swaddle.cli.submitter_said", "answer", "Answer a warning once: the value is right."),
    "signoff": ("swaddle.cli.submitter_said", "signoff", "A named person signs a period off."),
    "people": ("swaddle.cli.people", "group", "Who signs by name for this home."),
    "inbox": ("swaddle.cli.submitter", "inbox", "What the registry has sent."),
    "get": ("swaddle.cli.submitter", "get", "Fetch and open what the registry has sent."),
    "sftp": ("swaddle.cli.sftp", "group", "The SFTP door: second grade, for jobs that can do nothing else."),
    "dictionary": ("swaddle.cli.dictionary", "group", "What a file may hold, and what changed in it."),
    "indicators": ("swaddle.cli.indicators", "group", "What is counted, and how."),
    "doctor": ("swaddle.cli.doctor", "command", "What is wrong with a home, and what to do about it."),
    "custody": ("swaddle.cli.custody", "group", "The record of every copy."),
    "incident": ("swaddle.cli.incident", "group", "A breach: open it, scope it."),
    "tally": ("swaddle.cli.tally", "command", "A campaign over many organisations, from published lists."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; `--help` imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The commands in the order of the story."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Import the command's module and hand out the command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """One line each, from the table, so that nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="swaddle", message="swaddle %(version)s")
def program() -> None:
    """The front door of a health registry, made safe to lose, and the registry behind it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the status of docs/commands.md."""
    if arguments is None:
        # DuckDB imports pandas, where it is installed, at the first query with a value: half a second that no command
        # of ours needs. In a process of our own it is told that there is none.
        sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    try:
        program.main(args=arguments, prog_name="swaddle", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; running the same command again goes on where it was", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except SwaddleError as error:
        click.echo(error.text(), err=True)
        sys.exit(error.exit_status)
    except ModuleNotFoundError as error:
        click.echo(missing_extra(error), err=True)
        sys.exit(3)
    except Exception as error:  # noqa: BLE001  the last line of defence: a fault of ours, told without anybody's values
        click.echo(unexpected(error).text(), err=True)
        sys.exit(OurBug.exit_status)


EXTRAS = {
    "duckdb": "check", "starlette": "gateway", "granian": "gateway", "asyncssh": "gateway", "jinja2": "registry",
    "duckdb_extension_httpfs": "registry", "numpy": "all",
}  # fmt: skip


def missing_extra(error: ModuleNotFoundError) -> str:
    """Which extra to install for a module that is not there."""
    extra = EXTRAS.get((error.name or "").partition(".")[0], "all")
    return (
        f"this command needs a part of Swaddle that is not installed (SWD-SET-04)\n"
        f"  why: the extra '{extra}' was left out\n"
        f"  fix: pip install 'swaddle[{extra}]'"
    )


def unexpected(error: Exception) -> OurBug:
    """A fault of ours: its kind and place in our code; never its message, which may hold a person's value."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if f"{Path(__file__).parent.parent}" in f.filename]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return OurBug(f"{type(error).__name__} at {place}")
