import { ChatStream } from "../chat-stream.js";
import { InvalidInputError, StreamError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { CompletionSoFar } from "../partial-completion.js";
import { SseDecoder, type SseEvent } from "../sse.js";
import { parseAnswer } from "../answer.js";
import type { Exchange, Transport } from "../transport.js";
import type { WireResponse } from "../wire.js";
import {
  isChunk,
  isCompletion,
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatCompletionRequest,
  type Usage,
} from "./chat-wire.js";

/** `/chat/completions`. */
export class Chat {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Asks for an answer in one piece. Long ones are better streamed: a gateway may give up before they are complete.
   *
   * @throws {@link ContextLengthError} when the prompt is too long for the model.
   * @throws {@link RateLimitError} when a limit of the account holds after the retries.
   * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
   */
  async create(request: ChatCompletionRequest, options?: RequestOptions): Promise<ChatCompletion> {
    checkRequest(request);
    const call = {
      method: "POST",
      path: "/chat/completions",
      body: { ...request, stream: false },
      stream: false,
      options,
    } as const;
    return await this.#transport.send(call, decodeCompletion);
  }

  /**
   * Asks for an answer piece by piece. Nothing is sent before the first `next()`.
   *
   * Ends only after a `finish_reason`; leaving the loop early closes the socket.
   *
   * @throws {@link StreamError} from the loop, with what had arrived in `partial`, when the answer breaks off.
   * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
   */
  stream(request: ChatCompletionRequest, options?: RequestOptions): ChatStream {
    checkRequest(request);
    const call = {
      method: "POST",
      path: "/chat/completions",
      body: { ...request, stream: true },
      stream: true,
      options,
    } as const;
    return new ChatStream(this.#transport, call);
  }
}

function checkRequest(request: ChatCompletionRequest): void {
  if (typeof request?.model !== "string" || request.model === "")
    throw new InvalidInputError("model must be the id of a model.");
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new InvalidInputError("messages must be a list of at least one message.");
  }
}

function decodeCompletion(text: string, response: WireResponse, exchange: Exchange): ChatCompletion {
  const streamed =
    response.header("content-type")?.includes("text/event-stream") || /^\uFEFF?\s*(data:|event:|:)/.test(text);
  // A gateway may stream although it was not asked to.
  if (streamed) return collectStream(text, response, exchange);
  return parseAnswer(text, response, exchange, isCompletion) as ChatCompletion;
}

function collectStream(text: string, response: WireResponse, exchange: Exchange): ChatCompletion {
  const events: SseEvent[] = [];
  const decoder = new SseDecoder(Infinity);
  decoder.feed(new TextEncoder().encode(text), events);
  decoder.end(events);

  const soFar = new CompletionSoFar();
  let last: ChatCompletionChunk | undefined;
  for (const event of events) {
    if (event === "[DONE]") break;
    const data = typeof event === "string" ? event : "raw" in event ? event.raw : event.data;
    const chunk = parseAnswer(data, response, exchange, isChunk) as ChatCompletionChunk;
    soFar.add(chunk);
    last = chunk;
  }
  const partial = soFar.partial();
  // Empty or cut: parseAnswer says so of nothing at all.
  if (last === undefined) return parseAnswer("", response, exchange, isCompletion) as ChatCompletion;
  if (!soFar.whole)
    throw new StreamError("The answer ended before its finish_reason.", { reason: "truncated", partial });
  const { content, reasoning_content, tool_calls, finish_reason, usage } = partial;
  const { id = "", created = 0, model = "" } = last;
  const message = {
    role: "assistant",
    content,
    ...(reasoning_content && { reasoning_content }),
    ...(tool_calls.length > 0 && { tool_calls }),
  };
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices: [{ index: 0, message, finish_reason }],
    ...(usage && { usage: usage as Usage }),
  };
}
