"""The embedded server behind nginx, which speaks TLS for it."""
