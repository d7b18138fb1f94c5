"""Benchmarks that compare arraygrad with other libraries. See README.md."""
