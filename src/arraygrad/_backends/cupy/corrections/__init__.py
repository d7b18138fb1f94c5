"""Functions that replace CuPy's or array_api_compat's, one module per chapter of the standard.

Each docstring says why: the case that the library gets wrong or lacks, or the cost per call that a
shorter way avoids. The names in a module's ``__all__`` are entries of the table.
"""
