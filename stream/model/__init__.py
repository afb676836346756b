"""The moving model: cells of the population, their grouping into segments, and its history."""
