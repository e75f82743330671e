#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An echo server on uvloop, clients in the same loop and in a thread of their own, a timer, a child, a look-up."""

import asyncio
import socket
import sys
import threading

import uvloop

ROUNDS = 200


async def echo(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


async def client(port, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    for i in range(ROUNDS):
        line = b"%s %d\n" % (text, i)
        writer.write(line)
        received += await reader.readexactly(len(line))
    writer.close()
    return len(received), received.count(b"\n")


def blocking_client(port, loop, done):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        received = 0
        for _ in range(ROUNDS):
            connection.sendall(b"from a thread")
            received += len(connection.recv(4096))
    loop.call_soon_threadsafe(done.set_result, received)


async def main():
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    done = loop.create_future()
    thread = threading.Thread(target=blocking_client, args=(port, loop, done))
    thread.start()
    print("clients", await asyncio.gather(*(client(port, b"client %d" % i) for i in range(4))))
    print("thread", await done)
    thread.join()
    await asyncio.sleep(0.01)
    print("look-up", (await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))[0][4])
    child = await asyncio.create_subprocess_exec("sh", "-c", "echo child; exit 3", stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    print("child", out, child.returncode)
    server.close()
    await server.wait_closed()
    return 5


uvloop.install()
sys.exit(asyncio.run(main()))
