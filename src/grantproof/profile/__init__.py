"""The profile of a target: model, loading, discovery, and what the target offers."""
