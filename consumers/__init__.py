"""Who reads: the worker and the model owner, what feeds them, and the command line."""
