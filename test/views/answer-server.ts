import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Answer } from "./answers.js";

export interface AnswerServer extends AsyncDisposable {
  url: string;
  /** Bodies of the requests so far. */
  requests: { stream?: boolean; messages: Record<string, unknown>[]; [field: string]: unknown }[];
}

/** Gives the answers in turn, the last one for ever, each as it was asked for: whole or streamed. */
export async function answerServer(...answers: Answer[]): Promise<AnswerServer> {
  const requests: AnswerServer["requests"] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const bytes of request) text += String(bytes);
    const body = JSON.parse(text) as AnswerServer["requests"][number];
    const answer = answers[Math.min(requests.push(body), answers.length) - 1]!;
    response.setHeader("x-siliconcloud-trace-id", `ti_${requests.length}`);
    response.statusCode = answer.status ?? 200;
    response.setHeader(
      "content-type",
      body.stream && answer.status === undefined ? "text/event-stream" : "application/json",
    );
    response.end(body.stream ? answer.stream : answer.whole);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
