"""Python's `websockets` as a server. It says its port, then does what messages ask for."""

import asyncio
import contextlib

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def pinged(socket, payload):
    await (await socket.ping(payload))
    await socket.send(f"ponged {payload}")


async def serve_one(socket):
    # Who vanishes is told so; that is what was asked for.
    with contextlib.suppress(ConnectionClosed):
        await converse(socket)


async def converse(socket):
    async for message in socket:
        if message == "close":
            await socket.close(4001, "as you wish")
        elif message == "ping":
            # Its answer is read by the loop that must go on.
            asyncio.get_running_loop().create_task(pinged(socket, "payload"))
        elif message == "fragments":
            asyncio.get_running_loop().create_task(pinged(socket, "between"))
            await socket.send(["fr", "ag", "ments"])
        elif message == "vanish":
            socket.transport.abort()
        else:
            await socket.send(message)


async def main():
    # A subprotocol is taken where one is offered.
    def choose(_, offered):
        return "chat" if "chat" in offered else None

    async with serve(serve_one, "127.0.0.1", 0, max_size=None, select_subprotocol=choose) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
