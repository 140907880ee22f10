"""Keycloak, with a realm of the clients that its profile names."""
