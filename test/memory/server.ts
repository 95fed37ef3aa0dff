/** A service that counts what it gets, and speaks or shows as many mebibytes as it is told to. Started by `run.ts`. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import "../guard/loopback-only.mjs";

const mebibytes = Number(process.env["MEBIBYTES"]);
const { KEY: key, CERTIFICATE: cert } = process.env;

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  void (async () => {
    let bytes = 0;
    for await (const piece of request) bytes += (piece as Buffer).length;
    const { url = "" } = request;
    if (url === "/video.mp4") return await pipeline(sound(mebibytes), response);
    // A long text becomes a long sound.
    if (url.endsWith("/audio/speech")) return await pipeline(sound(bytes > 200 ? mebibytes : 1), response);
    if (url === "/short.mp4") return await pipeline(sound(1), response);
    response.end(JSON.stringify({ code: 20_000, message: "Ok", status: true, data: { id: "file-1", bytes } }));
  })().catch(() => response.destroy());
};

async function* sound(length: number): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(2 ** 20, 0xff);
  for (let sent = 0; sent < length; sent += 1) yield piece;
}

// Nobody is left to serve.
process.on("disconnect", () => process.exit());

const plain = createServer(answer);
const secure = createSecureServer({ key, cert }, answer);
const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
plain.listen(0, "127.0.0.1", () => {
  secure.listen(0, "127.0.0.1", () => {
    process.send!({ http: `http://127.0.0.1:${portOf(plain)}/v1`, https: `https://127.0.0.1:${portOf(secure)}/v1` });
  });
});
