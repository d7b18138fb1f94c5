"""Compiles the modules that every operation passes through, where there is a C compiler.

Cython compiles the package's own Python files. The .pxd file beside some of them declares the types
of their variables. Uncompiled, they do the same and take about half as long again. They stay
uncompiled in an editable installation, so that what is edited is what runs, and for free-threaded
Python, where importing compiled modules would switch the GIL on. `_loops.pyx`, `_formulas.pyx` and
`_norms.pyx` have no form in Python; without them NumPy's functions compute the same.

ARRAYGRAD_COMPILE=0 leaves them as they are everywhere. With ARRAYGRAD_COMPILE=1 they are compiled
everywhere, and the installation fails where they cannot be. An editable installation then has the
compiled modules beside their sources, until the next one without it.

Each wheel has a software bill of materials (PEP 770), which says what was compiled into it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = """
    _array _dispatch _keys _memory _modes _operators _pytree _backends.numpy._formulas
    _backends.numpy._loops _backends.numpy._norms _backends.numpy.conversions
    _backends.numpy.corrections _backends.numpy.fast_paths _backends.numpy.parallel
    _compile._calls _compile._program _compile._recorder
    _compile.passes._facts _compile.passes._steps _compile.passes.algebra _compile.passes.common
    _compile.passes.dead_code _compile.passes.nan
    autodiff._backward autodiff._grad_mode autodiff._graph autodiff._inplace autodiff._levels
    autodiff._pullback autodiff._rules autodiff._tangents autodiff._views
    autodiff.rules._elementwise
    autodiff.rules._linear_algebra autodiff.rules._statistical"""

#: Modules whose size counts for more than their speed: functions are recorded once, blocks are
#: seldom entered, and in these parts of the backend and in most rules NumPy does the work. They are
#: a third smaller so.
SMALL = (
    "_backends.numpy.conversions", "_backends.numpy.corrections", "_backends.numpy.parallel",
    "_compile.", "_modes", "_pytree", "autodiff._grad_mode", "autodiff._views",
    "autodiff.rules._linear_algebra", "autodiff.rules._statistical",
)  # fmt: skip


class Compile(BuildHookInterface[Any]):
    """Puts the compiled modules into a wheel, next to their sources, and adds the SBOM."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless told not to, and write the bill of materials."""
        self._scratch = tempfile.TemporaryDirectory(prefix="arraygrad-")
        self._compile(version, build_data)
        if version != "editable":
            file = Path(self._scratch.name, "arraygrad.cdx.json")
            bill = materials(self.metadata.version, not build_data["pure_python"])
            file.write_text(json.dumps(bill, indent=2), "utf-8")
            build_data["sbom_files"].append(str(file))

    def _compile(self, version: str, build_data: dict[str, Any]) -> None:
        wanted = os.environ.get("ARRAYGRAD_COMPILE", "")
        editable = version == "editable"
        root = Path(self.root)
        if editable:
            for old in (root / "src").rglob("*" + sysconfig.get_config_var("EXT_SUFFIX")):
                old.unlink()
        free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
        if wanted == "0" or (wanted != "1" and (editable or free_threaded)):
            return
        if platform.python_implementation() != "CPython":
            return
        try:
            built = compiled(root, Path(self._scratch.name))
        except (Exception, SystemExit) as error:  # setuptools exits where there is no compiler
            if wanted == "1":
                raise
            self.app.display_warning(f"arraygrad is installed without its compiled part: {error}")
            return
        if editable:
            for file, path in built.items():
                shutil.copy2(file, root / "src" / path)
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"].update(built)


def materials(version: str, is_compiled: bool) -> dict[str, Any]:
    """What a wheel consists of, in CycloneDX's format, and without a date: equal builds are equal.

    The dependencies are not a part of the wheel, and stand in its metadata.
    """

    def component(name: str, version: str, licence: str, kind: str = "library") -> dict[str, Any]:
        url = f"pkg:pypi/{name}@{version}"
        licences = [{"license": {"id": licence}}]
        return {
            "bom-ref": url,
            "type": kind,
            "name": name,
            "version": version,
            "purl": url,
            "licenses": licences,
        }

    whole, parts = component("arraygrad", version, "BSD-3-Clause"), []
    if is_compiled:
        import Cython
        import numpy

        # Cython's C code for every module, and what NumPy's headers define.
        parts.append(component("cython", Cython.__version__, "Apache-2.0"))
        parts.append(component("numpy", numpy.__version__, "BSD-3-Clause"))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": whole, "lifecycles": [{"phase": "build"}]},
        "components": parts,
        "dependencies": [
            {"ref": whole["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}
        ],
    }


def compiled(root: Path, scratch: Path) -> dict[str, str]:
    """Compile the modules; which file is to become which one of the package."""
    import numpy
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    source = Path("src", "arraygrad")
    extensions = []
    for name in MODULES.split():
        path = source.joinpath(*name.split("."))
        level = "-Os" if name.startswith(SMALL) else "-O2"
        options = [] if os.name == "nt" else [level, "-g0"]
        if sys.platform == "linux":  # (They are a tenth of each file, and nothing in C is thrown.)
            options += ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]
        if options and name.endswith(("._formulas", "._norms")):
            # (No step may be merged with another: the results are NumPy's. But steps that are not
            # needed may be made, which would only show in the flags of floating-point errors.)
            options += ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"]
        file = str(next(f for x in (".pyx", ".py") if (f := path.with_suffix(x)).exists()))
        extensions.append(
            Extension(
                f"arraygrad.{name}",
                [file],
                extra_compile_args=options,
                extra_link_args=["-Wl,-s"] if sys.platform == "linux" else [],  # no symbols
                include_dirs=[numpy.get_include(), str(path.parent)],
            )
        )
    before = Path.cwd()
    os.chdir(root)  # by the paths Cython knows the package
    try:
        modules = cythonize(
            extensions,
            build_dir=str(scratch / "c"),
            compiler_directives={
                "annotation_typing": False,  # hints are for readers; the .pxd files count
                "auto_pickle": False,  # tensors say how themselves
                "language_level": 3,
                "nonecheck": True,
            },
            nthreads=os.cpu_count() or 1,
            quiet=True,
        )
        command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
        command.build_lib = str(scratch / "lib")
        command.build_temp = str(scratch / "objects")
        command.parallel = os.cpu_count()
        command.ensure_finalized()
        command.run()
    finally:
        os.chdir(before)
    library = scratch / "lib"
    return {str(f): f.relative_to(library).as_posix() for f in library.rglob("*") if f.is_file()}
