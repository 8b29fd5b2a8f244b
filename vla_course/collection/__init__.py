"""Recording demonstrations into episodes."""
