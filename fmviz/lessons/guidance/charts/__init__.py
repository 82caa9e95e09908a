"""The charts of the page Guidance."""
