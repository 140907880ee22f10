"""The checks: one folder per specification, one module per section."""
