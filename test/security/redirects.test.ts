import { SiliconFlowClient, type ClientOptions } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FaultServer, type Reply, startFaultServer } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { secrets } from "./canaries.ts";

let service: FaultServer;
let stranger: FaultServer;
let replies: Reply[];

beforeAll(async () => {
  stranger = await startFaultServer([{ body: wire.completion({ content: "Give me your key." }) }]);
  service = await startFaultServer([() => replies.shift() ?? { body: wire.completion({ content: "Hello." }) }]);
});
/** Requests of earlier tests. */
let before = 0;
const asked = (): FaultServer["requests"] => service.requests.slice(before);
beforeEach(() => {
  before = service.requests.length;
});
afterAll(async () => {
  await service.close();
  await stranger.close();
});

const clients: Record<string, (options: ClientOptions) => SiliconFlowClient | FetchClient> = {
  "over undici": (options) => new SiliconFlowClient(options),
  "over fetch": (options) => new FetchClient(options),
};
const request = { model: "m", messages: [{ role: "user" as const, content: "Hi." }] };

function ask(entry: string, baseURL = service.url): Promise<unknown> {
  const headers = { "x-tenant-token": secrets.clientHeader };
  const client = clients[entry]!({ apiKey: secrets.key, baseURL, headers, maxRetries: 2 });
  return client.chat.create(request);
}

describe.each(Object.keys(clients))("a redirect, %s", (entry) => {
  const elsewhere = (): Record<string, string> => {
    const { port } = new URL(stranger.url);
    const here = new URL(service.url);
    return {
      "another port": `${stranger.url}/chat/completions`,
      "another name of the host": `http://localhost:${here.port}/v1/chat/completions`,
      "no scheme": `//127.0.0.1:${port}/v1`,
      backslashes: `\\\\127.0.0.1:${port}\\v1`,
      "another scheme": `https://${here.host}/v1/chat/completions`,
      "a user's name": `http://me:secret@${here.host}/v1/chat/completions`,
      "a host as the user's name": `http://${here.host}@127.0.0.1:${port}/v1`,
      "the metadata of a cloud": "http://169.254.169.254/latest/meta-data/",
      "a file": "file:///etc/passwd",
      data: "data:application/json,{}",
      nothing: "",
      "what is no address": "http://[",
    };
  };

  it.each([301, 302, 303, 307, 308])(
    "with %i to anywhere else is refused at once, and nobody is asked",
    async (status) => {
      for (const [name, location] of Object.entries(elsewhere())) {
        // Of the same address again, it is a chain.
        replies = [
          { status, headers: { location } },
          { status, headers: { location } },
        ];
        const error = await ask(entry).catch((thrown: unknown) => thrown);
        expect({ name, error }).toMatchObject({ name, error: { name: "ApiError", reason: "blockedAddress" } });
        expect(`${name}: ${(error as Error).message}`).not.toContain("secret");
      }
      expect(stranger.requests).toEqual([]);
    },
  );

  it.each([307, 308])("with %i inside the same origin is followed once, with the key", async (status) => {
    replies = [{ status, headers: { location: "/v1/elsewhere" } }];
    await expect(ask(entry)).resolves.toMatchObject({ object: "chat.completion" });
    expect(asked().map(({ path }) => path)).toEqual(["/v1/chat/completions", "/v1/elsewhere"]);
    expect(asked()[1]!.headers.authorization).toBe(`Bearer ${secrets.key}`);
  });

  it("is not followed twice, even inside the same origin", async () => {
    replies = ["/v1/a", "/v1/b", "/v1/c"].map((location) => ({ status: 308, headers: { location } }));
    await expect(ask(entry)).rejects.toMatchObject({ reason: "blockedAddress" });
    expect(asked()).toHaveLength(2);
  });

  it("inside the same origin, and then to another one, is refused", async () => {
    replies = [
      { status: 307, headers: { location: "/v1/a" } },
      { status: 307, headers: { location: stranger.url } },
    ];
    await expect(ask(entry)).rejects.toMatchObject({ reason: "blockedAddress" });
    expect(stranger.requests).toEqual([]);
  });
});
