"""Installs the stand-in at the start of a process: ``fakecuda.pth`` imports this if FAKECUDA=1."""

import os
import sys
import traceback

import fakecuda

switch = os.environ.pop("FAKECUDA")  # processes that run meanwhile are to be without it
try:
    fakecuda.install()
    os.environ["FAKECUDA"] = switch
except BaseException as error:
    # Python would report an exception here and go on, without the stand-in.
    if isinstance(error, fakecuda.InstallError):
        print(f"FAKECUDA=1: {error}", file=sys.stderr)
    else:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
