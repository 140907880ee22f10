"""oauth2orize with Passport and Express."""
