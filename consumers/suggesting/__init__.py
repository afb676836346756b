"""``segstream settings suggest``: a settings file out of a sample of orders."""
