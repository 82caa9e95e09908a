"""What the page Guidance shows and measures."""
