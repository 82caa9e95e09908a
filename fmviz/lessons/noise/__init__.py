"""Noise: Brownian motion, Ornstein–Uhlenbeck and Langevin dynamics. Start reading in `settings`."""
