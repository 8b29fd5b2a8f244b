"""Exercises and their grading: release, check, grade."""
