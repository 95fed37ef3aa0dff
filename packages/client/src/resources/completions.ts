import { isErrorBody } from "../answer.js";
import { AnswerStream } from "../answer-stream.js";
import { InvalidInputError } from "../errors.js";
import { type Judge, wholeAnswer } from "../judge.js";
import type { RequestOptions } from "../options.js";
import { CompletionSoFar } from "../partial-completion.js";
import type { Transport } from "../transport.js";
import type { Traced, Usage } from "./chat-wire.js";
import { areChoices, isAbsent, isText } from "./fields.js";
import { requireModel } from "./require.js";

/**
 * A request for the continuation of a text. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/userguide/guides/fim
 */
export interface CompletionRequest {
  /** A model that can fill in the middle. */
  model: string;
  /** The text before the gap. */
  prompt: string;
  /** The text after the gap. */
  suffix?: string;
  /** Set by `create` and `stream` themselves. */
  stream?: boolean;
  max_tokens?: number;
  stop?: string | string[] | null;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  [field: string]: unknown;
}

export interface TextCompletion extends Traced {
  id: string;
  /** `text_completion`. */
  object: string;
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: {
    index: number;
    text: string;
    finish_reason: string | null;
    logprobs?: unknown;
    [field: string]: unknown;
  }[];
  usage?: Usage;
  [field: string]: unknown;
}

/** One piece of a streamed completion. `usage` is cumulative where it appears on every chunk: keep the last. */
export interface CompletionChunk {
  id?: string;
  object?: string;
  created?: number;
  model?: string;
  /** Empty on a chunk that brings usage only. */
  choices: {
    index?: number;
    text?: string | null;
    finish_reason?: string | null;
    logprobs?: unknown;
    [field: string]: unknown;
  }[];
  usage?: Usage | null;
  [field: string]: unknown;
}

/** The chunks of a streamed completion, in order. The request is sent at the first `next()`. */
export type CompletionStream = AnswerStream<CompletionChunk, TextCompletion>;

/** `/completions`: text that continues a text, or fills its gap. */
export class Completions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Asks for the text in one piece.
   *
   * The service documents this endpoint by an example only: which models and fields it takes is for it to say.
   *
   * @throws {@link ContextLengthError} when the prompt is too long for the model.
   * @throws {@link RateLimitError} when a limit of the account holds after the retries.
   * @see https://docs.siliconflow.cn/cn/userguide/guides/fim
   */
  async create(request: CompletionRequest, options?: RequestOptions): Promise<TextCompletion> {
    return await this.#transport.send(
      callOf(request, false, options),
      wholeAnswer(() => new CompletionJudge(request["n"])),
    );
  }

  /**
   * Asks for the text piece by piece. Nothing is sent before the first `next()`.
   *
   * Ends only after a `finish_reason`; leaving the loop early closes the socket.
   *
   * @throws {@link StreamError} from the loop, with what had arrived in `partial`, when the answer breaks off.
   * @see https://docs.siliconflow.cn/cn/userguide/guides/fim
   */
  stream(request: CompletionRequest, options?: RequestOptions): CompletionStream {
    return new AnswerStream(this.#transport, callOf(request, true, options), new CompletionJudge(request["n"]));
  }
}

function callOf(request: CompletionRequest, stream: boolean, options: RequestOptions | undefined) {
  requireModel(request);
  if (typeof request.prompt !== "string") throw new InvalidInputError("prompt must be a text.");
  return { method: "POST", path: "/completions", body: { ...request, stream }, stream, options } as const;
}

class CompletionJudge extends CompletionSoFar<CompletionChunk> implements Judge<CompletionChunk, TextCompletion> {
  /** At least one choice with a text: an empty list is no answer. */
  isAnswer(value: Record<string, unknown>): boolean {
    const { choices } = value;
    return (
      !isErrorBody(value) && areChoices(choices, this.asked) && choices.every(({ text }) => typeof text === "string")
    );
  }

  protected fits({ text }: Record<string, unknown>): boolean {
    return isText(text);
  }

  protected saidBy({ text }: CompletionChunk["choices"][number]): { content: unknown } {
    return { content: text };
  }

  split(answer: TextCompletion): CompletionChunk[] {
    const choices = answer.choices.map((choice, position) => ({
      ...choice,
      index: isAbsent(choice.index) ? position : choice.index,
      // It has ended, whether it says why or not.
      finish_reason: choice.finish_reason || "stop",
    }));
    return [{ ...answer, choices }];
  }

  collect(): TextCompletion {
    const { usage } = this;
    return {
      ...this.head,
      object: "text_completion",
      choices: this.choices.map(({ index, content, finishReason }) => ({
        index,
        text: content,
        finish_reason: finishReason,
      })),
      ...(usage && { usage }),
    };
  }
}
