"""Start BoaviztAPI on a free port of this machine and say where; stop it after a command, or with Ctrl-C.

``python tests/serve_boavizta.py PYTHON [COMMAND ...]``: PYTHON is that of an environment with BoaviztAPI in it, and the
command finds the server's address in ``BOAVIZTA_URL``. Waiting is bounded at both ends.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request

START_S, COMMAND_S, STOP_S = 90, 300, 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(server: subprocess.Popen, address: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"BoaviztAPI did not start: exit status {server.returncode}")
        try:
            with urllib.request.urlopen(f"{address}/v1/utils/version", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"BoaviztAPI was not ready within {START_S} s")


def main(python: str, *command: str) -> int:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    uvicorn = [python, "-m", "uvicorn", "boaviztapi.main:app", "--host", "127.0.0.1", "--log-level", "warning"]
    server = subprocess.Popen([*uvicorn, "--port", str(port)])
    try:
        wait_until_ready(server, address)
        if command:
            return subprocess.run(command, env=os.environ | {"BOAVIZTA_URL": address}, timeout=COMMAND_S).returncode
        print(
            f"BOAVIZTA_URL={address}\nSet this variable where you start JupyterLab. Ctrl-C stops the server.",
            flush=True,
        )
        return server.wait()
    except subprocess.TimeoutExpired:
        print(f"the command took longer than {COMMAND_S} s", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
