"""Runs test suites of other projects on `arraygrad` and writes reports."""
