"""The trainer, and one module for each learning method."""
