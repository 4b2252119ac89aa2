"""What a user writes: sources, dimensions, facts, calendars, stars. Validated when defined; no I/O."""
