"""The page people look at: one file of a lake's newest release."""
