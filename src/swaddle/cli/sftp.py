"""`swaddle sftp`: the door for partners whose job can only do SFTP."""

from __future__ import annotations

from pathlib import Path

import click

from swaddle.home import locate


@click.group()
def group() -> None:
    """The gateway's SFTP door: second grade, a process and a user of its own."""


@group.command()
@click.option("--home", type=click.Path(path_type=Path), help="The door's own folder; made at the first run.")
@click.option("--socket", "socket_path", help="The gateway's door socket (its setting door_socket).")
@click.option("--host", help="The address to listen on; 127.0.0.1 unless set.")
@click.option("--port", type=int, help="The port to listen on; 2222 unless set. 0 finds a free one.")
def run(home: Path | None, socket_path: str | None, host: str | None, port: int | None) -> None:
    """Serve until told to stop (SIGTERM or Ctrl-C).

    What is given at the first run is kept in settings.toml of the home. A file that comes by this door is in the
    memory of this machine in the clear while it arrives: what `swaddle send` sends never is.
    """
    from swaddle.gateway import sftp
    from swaddle.gateway.sftp_home import open_door

    given = {"socket": socket_path, "host": host, "port": port}
    sftp.run(open_door(locate(home), {name: value for name, value in given.items() if value is not None}))
