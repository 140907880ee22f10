"""oauth2-mock-server, which authenticates nobody: the negative control of the interoperability runs."""
