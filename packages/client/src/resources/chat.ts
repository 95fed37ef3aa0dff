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
  isSaid,
  type ChatCompletionRequest,
  type ChatDelta,
} from "./chat-wire.js";
import { isAbsent, isObject } from "./fields.js";
import { requireModel } from "./require.js";

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
    return await this.#transport.send(
      call,
      wholeAnswer(() => new ChatJudge(request.n)),
    );
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
    return new AnswerStream(this.#transport, call, new ChatJudge(request.n));
  }
}

function checkRequest(request: ChatCompletionRequest): void {
  requireModel(request);
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new InvalidInputError("messages must be a list of at least one message.");
  }
}

class ChatJudge extends CompletionSoFar<ChatCompletionChunk> implements Judge<ChatCompletionChunk, ChatCompletion> {
  isAnswer(value: Record<string, unknown>): boolean {
    return isCompletion(value, this.asked);
  }

  protected fits({ delta, message }: Record<string, unknown>): boolean {
    // A whole message inside an event: there is no telling what it would be a piece of.
    return !isObject(message) && (isAbsent(delta) || (isObject(delta) && isSaid(delta)));
  }

  protected saidBy({ delta }: ChatCompletionChunk["choices"][number]): ChatDelta | null | undefined {
    return delta;
  }

  split(answer: ChatCompletion): ChatCompletionChunk[] {
    return [chunkFromCompletion(answer)];
  }

  collect(): ChatCompletion {
    const { usage } = this;
    return {
      ...this.head,
      object: "chat.completion",
      choices: this.choices.map(({ index, content, reasoning, calls, finishReason, logprobs }) => ({
        index,
        message: {
          role: "assistant",
          content,
          ...(reasoning && { reasoning_content: reasoning }),
          ...(calls?.list.length && { tool_calls: calls.list }),
        },
        ...(logprobs.length > 0 && { logprobs: { content: logprobs } }),
        finish_reason: finishReason,
      })),
      ...(usage && { usage }),
    };
  }
}
