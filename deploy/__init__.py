"""What brings segstream up elsewhere, and the code that writes parts of it. Nothing here ships with the package."""
