"""What a new connection does: its endpoint, its decision, its plan."""
