"""Clips: animated scenes as frozen arrays, and the builders that make them."""
