import { AnswerStream } from "../answer-stream.js";
import { InvalidInputError } from "../errors.js";
import { wholeAnswer } from "../judge.js";
import { MessageSoFar } from "../message-so-far.js";
import type { RequestOptions } from "../options.js";
import type { Transport } from "../transport.js";
import type { Message, MessagesRequest, MessageStreamEvent } from "./messages-wire.js";
import { requireModel } from "./require.js";

/** The events of a streamed message, in order. The request is sent at the first `next()`. */
export type MessageStream = AnswerStream<MessageStreamEvent, Message>;

/** `/messages`: chat in the shape of Anthropic's API. */
export class Messages {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Asks for an answer in one piece. Long ones are better streamed: a gateway may give up before they are complete.
   *
   * @throws {@link ContextLengthError} when the prompt is too long for the model.
   * @throws {@link RateLimitError} when a limit of the account holds after the retries.
   * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/messages
   */
  async create(request: MessagesRequest, options?: RequestOptions): Promise<Message> {
    return await this.#transport.send(callOf(request, false, options), decodeMessage);
  }

  /**
   * Asks for an answer event by event. Nothing is sent before the first `next()`.
   *
   * Ends only after a `stop_reason` or `message_stop`; leaving the loop early closes the socket. Pings are left out.
   *
   * @throws {@link StreamError} from the loop, with what had arrived in `partial`, when the answer breaks off.
   * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/messages
   */
  stream(request: MessagesRequest, options?: RequestOptions): MessageStream {
    return new AnswerStream(this.#transport, callOf(request, true, options), new MessageSoFar());
  }
}

function callOf(request: MessagesRequest, stream: boolean, options: RequestOptions | undefined) {
  requireModel(request);
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new InvalidInputError("messages must be a list of at least one message.");
  }
  return { method: "POST", path: "/messages", body: { ...request, stream }, stream, options } as const;
}

const decodeMessage = wholeAnswer(() => new MessageSoFar());
