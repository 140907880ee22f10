"""The interpreter's own `select` and `socket`, also where gevent has put its cooperative ones in their place.

Locust patches the process as it is imported. The engine runs in a native thread that has no event hub, so it needs what
was there before; gevent keeps it. Nothing in here imports gevent: where it is not loaded, nothing was replaced.
"""

import select as _select
import socket as _socket
import sys
from typing import Any


def _original(module: Any, name: str) -> Any:
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched(module.__name__):
        return monkey.get_original(module.__name__, name)
    return getattr(module, name, None)


socket_class: type[_socket.socket] = _original(_socket, "socket")
plain_socket_class: type[_socket.socket] = _original(_socket, "SocketType")  # in C as a whole, made in half the time
getaddrinfo = _original(_socket, "getaddrinfo")
select = _original(_select, "select")
epoll = _original(_select, "epoll")
poll = _original(_select, "poll")
