"""Functions that replace CuPy's or array_api_compat's, one module per chapter of the standard.

Each docstring gives the reason: a case that the library gets wrong or lacks, or a cost per call
that can be avoided. The names in a module's ``__all__`` are entries of the table.
"""
