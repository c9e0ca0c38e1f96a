"""`python -m swaddle` is the `swaddle` command."""

from swaddle.cli.main import main

if __name__ == "__main__":
    main()
