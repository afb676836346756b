"""Who writes: the transactional sink, and the producers of customer events."""
