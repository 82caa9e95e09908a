"""``fmviz``, or ``python -m fmviz``: serves the app from wherever it is installed."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence

from fmviz import __version__
from fmviz.home import HOME

__all__ = ["main"]

DEFAULT_PORT = "8501"


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses the command line, checks that the port is free, and hands over to Streamlit until it is stopped."""
    parser = argparse.ArgumentParser(
        prog="fmviz",
        description="Flow matching and diffusion in two dimensions, in the browser.",
        epilog="Streamlit's environment variables (STREAMLIT_SERVER_PORT, ...) hold for what no option says.",
    )
    port = os.environ.get("STREAMLIT_SERVER_PORT", DEFAULT_PORT)
    parser.add_argument("--port", type=_port, default=port, help=f"where to serve (default {DEFAULT_PORT})")
    address = os.environ.get("STREAMLIT_SERVER_ADDRESS", "localhost")
    parser.add_argument(
        "--address", default=address, help="the network address to listen at (default localhost; 0.0.0.0 for all)"
    )
    parser.add_argument("--open", action=argparse.BooleanOptionalAction, help="open the page in a browser")
    parser.add_argument("--version", action="version", version=f"fmviz {__version__}")
    chosen = parser.parse_args(arguments)

    port, address = chosen.port, chosen.address
    if reason := _refused(address, port):
        parser.exit(1, f"fmviz: {reason}\n")
    options = [f"--server.port={port}", f"--server.address={address}"]
    if chosen.open is not None:
        options.append(f"--server.headless={str(not chosen.open).lower()}")
    print(f"fmviz is at http://{'localhost' if address == '0.0.0.0' else address}:{port} (Ctrl-C stops it)")  # noqa: T201
    _serve(options)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def _refused(address: str, port: int) -> str | None:
    """Why nothing can be served there; None if it can."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except PermissionError:
        return f"port {port} needs more rights than you have here; choose one above 1023 with --port"
    except socket.gaierror:
        return f"this machine has no address {address!r}"
    except OSError:
        return f"port {port} at {address} is in use; choose another with --port"
    return None


def _serve(options: Sequence[str]) -> None:
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(HOME / "app.py"), *options]
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
