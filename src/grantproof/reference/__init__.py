"""The embedded authorization server: lawful by default, with one rule replaced at a time to make a fault or an oddity."""
