"""What was counted, what is logged, and what is due."""
