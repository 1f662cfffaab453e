"""Where the command begins.  Nothing is imported before an interrupt has its answer."""

import sys


def run() -> None:
    try:
        from mochic.cli import main

        main(prog_name="mochi")
    except KeyboardInterrupt:  # before or after what driver.guarded covers
        sys.stderr.write("mochi: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
