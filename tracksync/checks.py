"""System checks with hints: what is odd or missing is said at start."""
