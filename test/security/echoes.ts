import type { Reply } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { answer } from "./canaries.ts";

/** Something between us and the model that repeats what it was sent. */
export interface Echo {
  name: string;
  reply: Reply;
}

const statuses = [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504];

/** A JSON string: backslashes stay, because a spelling may be made of escapes. */
const quoted = (text: string): string => `"${text.replaceAll('"', '\\"')}"`;

/** Refusals that repeat a text, in every shape and under every status. */
export function refusals(echo: string): Echo[] {
  const inJson = quoted(echo);
  const bodies: Record<string, string> = {
    "the service's object": `{"code":20015,"message":${inJson},"data":null}`,
    "OpenAI's object": `{"error":{"message":${inJson},"code":${inJson},"type":${inJson}}}`,
    "a bare JSON string": inJson,
    "plain text": `Invalid token ${echo} given`,
    "a page": `<html><head><title>${echo}</title></head><body><p>Bearer ${echo}</p><pre>authorization: ${echo}</pre></body></html>`,
    "JSON that is cut": `{"message":${inJson.slice(0, -1)}`,
    "an unknown object": `{"detail":${inJson},"request":{"headers":${inJson}}}`,
  };
  return Object.entries(bodies).flatMap(([name, body]) =>
    (name === "the service's object" ? [...statuses, 200] : [401, 503, 200]).map((status): Echo => ({
      name: `${status} ${name}`,
      reply: { status, body },
    })),
  );
}

/** Headers that repeat it. */
export function headerEchoes(echo: string): Echo[] {
  const body = wire.failure(50508, "System is too busy now.");
  const headers: Record<string, string> = {
    "x-siliconcloud-trace-id": echo,
    "retry-after": echo,
    "content-type": echo,
    "content-encoding": echo,
    "set-cookie": `session=${echo}`,
    "www-authenticate": `Bearer realm="${echo}"`,
    date: echo,
  };
  const refused = Object.entries(headers).flatMap(([name, value]) =>
    [400, 503, 200].map((status): Echo => ({
      name: `${status} ${name}`,
      reply: { status, headers: { [name]: value }, body: status === 200 ? "{}" : body },
    })),
  );
  const locations = [
    `https://${echo.replaceAll(/[^\w-]/g, "")}.example/`,
    `https://a.example/${echo}`,
    `//${echo}@a.example`,
    echo,
  ];
  const redirects = [301, 302, 303, 307, 308].flatMap((status) =>
    locations.map((location): Echo => ({
      name: `${status} location`,
      reply: { status, headers: { location, "x-siliconcloud-trace-id": echo } },
    })),
  );
  return [...refused, ...redirects];
}

/** Streams that break, and repeat it in what they say. */
export function damagedStreams(echo: string): Echo[] {
  const inJson = quoted(echo);
  const begun = wire.first + wire.text(answer);
  const half = Math.floor(echo.length / 2);
  const bodies: Record<string, string> = {
    "an error event": `${begun}event: error\ndata: {"message":${inJson}}\n\n`,
    "an error in data": `${begun}data: {"error":{"message":${inJson},"code":${inJson}}}\n\n`,
    "a raw line of JSON": `${begun}{"code":60000,"message":${inJson},"data":null}\n`,
    "a raw line of text": `${begun}<p>${echo}</p>\n`,
    "an event that is no JSON": `${begun}data: ${echo}\n\n`,
    "an event that is cut": `${begun}data: {"choices":[{"delta":{"content":${inJson.slice(0, half)}`,
    "a string in data": `${begun}data: ${inJson}\n\n`,
    "in two events": `${begun}data: {"error":{"message":"${echo.slice(0, half)}\n\ndata: ${echo.slice(half)}"}}\n\n`,
    "in two lines of an event": `${begun}event: error\ndata: {"message":\ndata: ${inJson}}\n\n`,
    "an end without a reason": begun,
    "an event name": `${begun}event: ${echo}\ndata: {}\n\n`,
  };
  const whole = Object.entries(bodies).map(([name, body]): Echo => ({
    name: `stream: ${name}`,
    reply: { headers: wire.sse, body: [begun, body.slice(begun.length)] },
  }));
  const reset: Echo = { name: "stream: a reset", reply: { headers: wire.sse, body: [begun], then: "reset" } };
  const firstThing: Echo = {
    name: "stream: an error before anything",
    reply: { headers: wire.sse, body: bodies["an error in data"]!.slice(begun.length) },
  };
  return [...whole, reset, firstThing];
}

/** A healthy answer to whatever is asked. */
export function successes(request: Record<string, unknown>): Reply {
  if (request["documents"] !== undefined) {
    const { length } = request["documents"] as unknown[];
    return { body: wire.ranking(Array.from({ length }, (_, index) => ({ index, relevance_score: 0.5 }))) };
  }
  if (request["input"] !== undefined) {
    const input = [request["input"]].flat();
    return { body: wire.vectors(input.map(() => [1, 2])) };
  }
  const streams = request["stream"] === true;
  if (request["prompt"] !== undefined) {
    if (!streams) return { body: wire.textCompletion(answer) };
    return { headers: wire.sse, body: wire.textPiece(answer) + wire.textPiece("", "stop") + wire.done };
  }
  if (request["messages"] === undefined) return { body: JSON.stringify({ object: "list", data: [{ id: "a" }] }) };
  const tools = request["tools"] as { function?: { name: string } }[] | undefined;
  const name = tools?.[0]?.function?.name;
  const call = { id: "call_1", type: "function", function: { name, arguments: '{"name":"Ulrike"}' } };
  // Only the requests to the Anthropic-compatible endpoint name a limit here.
  if (request["max_tokens"] !== undefined) {
    return streams
      ? { headers: wire.sse, body: wire.messageStream(answer) }
      : { body: wire.message([{ type: "text", text: answer }]) };
  }
  const content = request["response_format"] === undefined ? answer : '{"name":"Ulrike"}';
  if (streams) {
    const said = name === undefined ? wire.text(content) : wire.tool({ index: 0, ...call });
    return {
      headers: wire.sse,
      body: wire.first + said + wire.finish(name === undefined ? "stop" : "tool_calls") + wire.done,
    };
  }
  return {
    body:
      name === undefined
        ? wire.completion({ content })
        : wire.completion({ content: "", tool_calls: [call] }, "tool_calls"),
  };
}
