"""Load tests: one Locust file for each scenario."""
