"""The ways in. A gateway turns what a platform speaks into arrivals, and answers into what it understands."""
