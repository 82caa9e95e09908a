"""Conservation: the continuity and Fokker–Planck equations, term by term. Start reading in `settings`."""
