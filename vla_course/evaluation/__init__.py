"""Rollouts, metrics, statistics, reports."""
