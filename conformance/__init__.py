"""Runs the test suites of others on `arraygrad` and keeps the reports."""
