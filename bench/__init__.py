"""Speed, measured: `make bench`. Every module beside this one with a ``rows()`` generator is run."""
