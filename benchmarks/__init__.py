"""Measurements of speed and of the experts; each speed is a ratio to a named alternative in the same run."""
