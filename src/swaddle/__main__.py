"""`python -m swaddle` is the `swaddle` command."""

from swaddle.cli.main import main

main()
