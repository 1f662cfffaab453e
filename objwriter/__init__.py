"""Object files from symbols: a format-neutral model, its builder, and one writer per format."""
