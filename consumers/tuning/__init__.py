"""``segstream tune``: what a margin costs and what it spares, on a sample of one's own orders."""
