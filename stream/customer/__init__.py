"""What is kept of one customer, and how events change it."""
