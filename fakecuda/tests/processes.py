"""Code in processes of its own: what ends a process, or needs other environment variables."""

import os
import subprocess
import sys
import textwrap

START = """
import fakecuda
fakecuda.install()
import cupy as cp
import numpy as np
from cupy.cuda import runtime

def code_of(function, *args):
    try:
        function(*args)
    except (runtime.CUDARuntimeError, cp.cuda.driver.CUDADriverError) as error:
        return error.status
    return 0
"""


def run(code, **environment):
    """Run Python code after ``START``; the result has the exit code, stdout and stderr."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FAKECUDA_LAZY")}
    return subprocess.run(
        [sys.executable, "-c", START + textwrap.dedent(code)],
        env={**clean, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def output(code, **environment):
    """Run code that succeeds, and return what it prints and what goes to stderr."""
    result = run(code, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.split(), result.stderr
