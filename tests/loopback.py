"""A server on this machine that answers by a script, and misbehaves where the script says so."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Reply:
    """One reply: what is sent, and how badly."""

    body: Any = field(default_factory=dict)
    """JSON to be sent; text is sent as it is."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    """Silence before the first byte."""
    drip_s: float = 0.0
    """Silence between bytes: never long enough for a socket's timeout, too long for a reader."""
    hang_up: bool = False
    """Close the connection without a word."""


@dataclass
class Question:
    """What a client asked."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: Any


class Loopback:
    """Give the replies of ``script`` in turn, then, for ever, the one in ``pages`` for the path, or a 404."""

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.pages: dict[str, Reply] = {}
        self.asked: list[Question] = []
        loopback = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                loopback._reply(self)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop; further questions find nobody."""
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        sent = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        body = json.loads(sent) if sent else None
        self.asked.append(
            Question(handler.command, parts.path, dict(parse_qsl(parts.query)), dict(handler.headers), body)
        )
        reply = self.script.pop(0) if self.script else self.pages.get(parts.path, Reply({"error": "none"}, 404))
        time.sleep(reply.wait_s)
        if reply.hang_up:
            handler.connection.close()
            return
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        payload = text.encode()
        try:
            handler.send_response(reply.status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(payload)))
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            for i in range(0, len(payload), 1 if reply.drip_s else len(payload)):
                handler.wfile.write(payload[i : i + (1 if reply.drip_s else len(payload))])
                time.sleep(reply.drip_s)
        except OSError:
            return  # the client gave up
