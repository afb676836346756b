"""What goes on, watched from outside: the board, its watches, and words for it. For page, terminal and report."""
