"""Ory Hydra with a login and consent application of its own."""
