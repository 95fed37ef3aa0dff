import { AnswerStream } from "../answer-stream.js";
import { InvalidInputError } from "../errors.js";
import { type Judge, wholeAnswer } from "../judge.js";
import type { RequestOptions } from "../options.js";
import { CompletionSoFar } from "../partial-completion.js";
import type { Transport } from "../transport.js";
import {
  chunkFromCompletion,
  isCompletion,
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatCompletionRequest,
  type Usage,
} from "./chat-wire.js";

/** The chunks of a streamed chat answer, in order. The request is sent at the first `next()`. */
export type ChatStream = AnswerStream<ChatCompletionChunk, ChatCompletion>;

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
    return new AnswerStream(this.#transport, call, new ChatJudge());
  }
}

function checkRequest(request: ChatCompletionRequest): void {
  if (typeof request?.model !== "string" || request.model === "")
    throw new InvalidInputError("model must be the id of a model.");
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new InvalidInputError("messages must be a list of at least one message.");
  }
}

class ChatJudge extends CompletionSoFar<ChatCompletionChunk> implements Judge<ChatCompletionChunk, ChatCompletion> {
  readonly isAnswer = isCompletion;

  split(answer: ChatCompletion): ChatCompletionChunk[] {
    return [chunkFromCompletion(answer)];
  }

  collect(): ChatCompletion {
    const { content, reasoning_content, tool_calls, finish_reason, usage } = this.partial();
    const { id, created, model } = this.head;
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
}

const decodeCompletion = wholeAnswer(() => new ChatJudge());
