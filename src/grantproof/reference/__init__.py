"""The embedded authorization server: lawful by default; a fault or an oddity replaces one of its rules."""
