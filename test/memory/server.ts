/** A service that counts what it gets, and speaks or shows as many mebibytes as it is told to. Started by `run.ts`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import "../guard/loopback-only.mjs";

const mebibytes = Number(process.env["MEBIBYTES"]);

const server = createServer((request, response) => {
  void (async () => {
    let bytes = 0;
    for await (const piece of request) bytes += (piece as Buffer).length;
    if (request.url?.endsWith("/audio/speech") || request.url === "/video.mp4")
      return await pipeline(sound(), response);
    response.end(JSON.stringify({ code: 20_000, message: "Ok", status: true, data: { id: "file-1", bytes } }));
  })().catch(() => response.destroy());
});

async function* sound(): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(2 ** 20, 0xff);
  for (let sent = 0; sent < mebibytes; sent += 1) yield piece;
}

// Nobody is left to serve.
process.on("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => {
  process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
});
