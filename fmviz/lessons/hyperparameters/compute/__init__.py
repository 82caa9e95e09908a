"""What the page Hyperparameters computes: its cells, their runs, pictures and numbers."""
