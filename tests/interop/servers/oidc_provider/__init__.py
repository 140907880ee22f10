"""oidc-provider, with pages of its own for login and consent."""
