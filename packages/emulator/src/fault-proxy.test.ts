import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFaultProxy, type FaultProxy, type Toxics } from "./fault-proxy.js";

let server: Server;
let proxy: FaultProxy | undefined;
let serve: (socket: Socket) => void;
beforeEach(async () => {
  serve = (socket) => socket.pipe(socket);
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  await proxy?.close();
  server.close();
});

interface Heard {
  socket: Socket;
  pieces: Buffer[];
  text: () => string;
  /** How it ended: in good order, or with the code of an error. */
  ended: Promise<string>;
}

async function talk(toxics: { toServer?: Toxics; toClient?: Toxics; seed?: number } = {}): Promise<Heard> {
  proxy ??= await startFaultProxy({ port: (server.address() as AddressInfo).port, ...toxics });
  const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  const pieces: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => pieces.push(bytes));
  const ended = new Promise<string>((resolve) => {
    socket.on("end", () => resolve("end")).on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "?"));
  });
  await once(socket, "connect");
  return { socket, pieces, text: () => Buffer.concat(pieces).toString(), ended };
}
afterEach(() => {
  proxy = undefined;
});

test("without toxics both directions pass untouched, and an end is an end", async () => {
  const { socket, text, ended } = await talk();
  socket.end("hello");
  expect([await ended, text()]).toEqual(["end", "hello"]);
  expect(proxy!.connections).toBe(1);
});

test("nothing listens behind it: the connection breaks", async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  proxy = await startFaultProxy({ port });
  const { ended } = await talk();
  expect(await ended).toBe("ECONNRESET");
});

describe("time", () => {
  test("latency holds every byte back, give or take the jitter", async () => {
    const started = performance.now();
    const { socket, text, ended } = await talk({ toServer: { latencyMs: 40, jitterMs: 10 }, seed: 7 });
    socket.end("hello");
    expect([await ended, text()]).toEqual(["end", "hello"]);
    // Timers may fire a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(29);
  });

  test("a narrow line takes its time, and loses nothing", async () => {
    const started = performance.now();
    const { socket, text, ended } = await talk({ toClient: { bytesPerSecond: 1000 } });
    socket.end("x".repeat(200));
    expect([await ended, text().length]).toEqual(["end", 200]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(190);
  });

  test("a slow close: the bytes come at once, the end later", async () => {
    const { socket, text, ended } = await talk({ toClient: { slowCloseMs: 60 } });
    socket.end("hello");
    await once(socket, "data");
    const heard = performance.now();
    expect([await ended, text()]).toEqual(["end", "hello"]);
    expect(performance.now() - heard).toBeGreaterThanOrEqual(50);
  });
});

describe("hanging", () => {
  test("for ever: nothing passes, until the toxics are taken away", async () => {
    const { socket, text, ended } = await talk({ toClient: { hangMs: Infinity } });
    socket.end("hello");
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(text()).toBe("");
    proxy!.set({ toClient: {} });
    expect([await ended, text()]).toEqual(["end", "hello"]);
  });

  test("for a while: then the connection is closed", async () => {
    const { socket, text, ended } = await talk({ toClient: { hangMs: 30 } });
    socket.write("hello");
    await ended;
    expect(text()).toBe("");
  });

  test("does not outlive a caller who leaves", async () => {
    const left = new Promise<void>((resolve) => {
      serve = (socket) => void socket.on("close", () => resolve()).on("end", () => socket.end());
    });
    const { socket } = await talk({ toClient: { hangMs: Infinity } });
    socket.write("hello");
    socket.resetAndDestroy();
    await expect(left).resolves.toBeUndefined();
  });
});

describe("cuts", () => {
  test("a reset at once: no byte passes", async () => {
    const { socket, text, ended } = await talk({ toClient: { resetAfterBytes: 0 } });
    socket.write("hello");
    expect([await ended, text()]).toEqual(["ECONNRESET", ""]);
  });

  test("a reset after bytes: exactly those arrive first", async () => {
    const { socket, text, ended } = await talk({ toClient: { resetAfterBytes: 3 } });
    socket.write("hello");
    expect([await ended, text()]).toEqual(["ECONNRESET", "hel"]);
  });

  test("a limit: exactly those bytes, then an end in good order", async () => {
    const { socket, text, ended } = await talk({ toClient: { limitBytes: 3 } });
    socket.write("hello");
    expect([await ended, text()]).toEqual(["end", "hel"]);
  });

  test("a limit that falls on the end of what is said", async () => {
    const { socket, text, ended } = await talk({ toServer: { limitBytes: 5 } });
    socket.write("hello");
    expect(["end", "ECONNRESET"]).toContain(await ended);
    expect(text().length).toBeLessThanOrEqual(5);
  });
});

test("slices: pieces of so many bytes, the whole unharmed", async () => {
  const { socket, pieces, text, ended } = await talk({ toClient: { sliceBytes: 2 } });
  socket.end("hello");
  expect([await ended, text()]).toEqual(["end", "hello"]);
  expect(pieces.length).toBeGreaterThan(1);
});

test("a reader who does not read slows the writer down", async () => {
  let written = 0;
  serve = (socket) => {
    const more = (): void => {
      while (socket.writable && socket.write(Buffer.alloc(64 * 1024))) written += 64 * 1024;
      socket.once("drain", more);
    };
    more();
  };
  const { socket } = await talk();
  socket.pause();
  let last = -1;
  await expect
    .poll(
      () => {
        const same = last === written;
        last = written;
        return same;
      },
      { interval: 100 },
    )
    .toBe(true);
  // What four sockets and the proxy's own limit hold.
  expect(written).toBeLessThan(64 * 1024 * 1024);
  socket.destroy();
});

test.each([
  [{ toClient: { latencyMs: -1 } }, "toClient.latencyMs takes a number of 0 or more, not -1."],
  [{ toServer: { sliceBytes: 0.5 } }, "toServer.sliceBytes takes a whole number of 1 or more, not 0.5."],
  [{ toServer: { hangMs: NaN } }, "toServer.hangMs takes a number of 0 or more, not NaN."],
  [{ toClient: { constructor: 1 } as object }, 'toClient has no toxic "constructor"'],
  [{ port: 0 }, "port takes a whole number from 1 to 65535, not 0."],
])("%o is refused", async (options, message) => {
  await expect(startFaultProxy({ port: 1, ...options })).rejects.toThrow(message);
});
