"""Credit and other decisions about money."""
