"""Train: a network learns the field of the scene. Start reading in `settings` and `page.training`."""
