"""Installs the stand-in before any test imports CuPy."""

import fakecuda

fakecuda.install()
