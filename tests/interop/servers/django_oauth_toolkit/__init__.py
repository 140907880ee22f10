"""Django OAuth Toolkit, served by waitress."""
