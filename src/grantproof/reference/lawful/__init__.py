"""The lawful rules, a module for each part of the server. Nothing here knows a fault."""
