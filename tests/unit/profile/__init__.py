"""The profile: its model, its loading, its discovery, and what it says is offered."""
