"""The charts of the page Hyperparameters (Altair)."""
