"""A Django project with an authorization server in it; it runs in an environment of its own."""
