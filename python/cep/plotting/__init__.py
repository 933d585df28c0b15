"""Pictures of what networks did."""
