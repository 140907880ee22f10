"""Tests of verdicts, clauses, coverage, roles and the embedded server's life."""
