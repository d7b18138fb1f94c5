"""The command line: ``python -m conformance SUBJECT``, from the root of the repository."""

from __future__ import annotations

import argparse
import sys

from . import gpu_setup


def main(argv: list[str] | None = None) -> int:
    """Run one subject; return 0 if it conforms, 1 if it does not, 2 if it could not run."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["gpu"]:
        gpu_setup.start(argv)
    # (These need arraygrad, which the line above may install.)
    from . import (
        batches,
        ecosystem,
        fuzz,
        gpu,
        gradients,
        libraries,
        official,
        page,
        readme,
        through_scipy,
    )
    from .report import SetupError

    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    subjects = parser.add_subparsers(required=True, metavar="SUBJECT")
    for subject in (
        official,
        ecosystem,
        gradients,
        batches,
        fuzz,
        through_scipy,
        gpu,
        page,
        readme,
    ):
        subject.add_parser(subjects)
    libraries.add_parsers(subjects)
    args = parser.parse_args(argv)
    try:
        return int(args.run(args))
    except SetupError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the reports are as before", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
