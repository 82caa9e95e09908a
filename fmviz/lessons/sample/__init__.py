"""Sample: solvers on the exact and on a learned field. Start reading in `settings`."""
