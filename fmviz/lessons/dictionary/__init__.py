"""Dictionary: the conventions of the literature, translated into each other. Start reading in `settings`."""
