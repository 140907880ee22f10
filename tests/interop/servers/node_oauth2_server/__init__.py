"""@node-oauth/oauth2-server in an Express application."""
