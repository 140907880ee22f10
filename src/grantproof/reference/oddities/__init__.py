"""Oddities: each module here declares some; all of them are imported by the registry."""
