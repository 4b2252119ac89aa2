"""What the keeper of a lake asks of it, and does to it, apart from runs: each a function of its own."""
