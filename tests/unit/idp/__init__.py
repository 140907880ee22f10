"""Tests of what a check talks to."""
