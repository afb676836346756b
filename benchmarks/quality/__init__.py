"""Quality: are the segments good, calm and true? Measured on the service's own engine; see ``cli``."""
