"""Theory: the laws of docs/theory.md, by name and searchable."""
