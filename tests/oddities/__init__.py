"""False alarms to avoid: the table of them, and what must hold of it."""
