"""The report: one Run record in; results.json, a page, JUnit, Markdown, HAR, SARIF and terminal text out.

Nothing here sends a request or runs a check, and everything that a target said is hostile until it is escaped.
"""
