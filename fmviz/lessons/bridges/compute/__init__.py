"""Numbers and pictures of the page Bridges."""
