"""Flows: vector fields, their exact flows, and the error of solvers. Start reading in `settings`."""
