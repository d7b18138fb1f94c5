"""Functions that the backends share. They take the library's namespace as an argument."""
