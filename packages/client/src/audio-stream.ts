import { AudioAnswer } from "./audio-answer.js";
import { isSiliconFlowError } from "./errors.js";
import type { Deadline } from "./deadline.js";
import type { Call, Exchange, Transport } from "./transport.js";
import type { WireResponse } from "./wire.js";

/**
 * Sound as it comes. The request is sent at the first read, and no more is read than is taken. Pipe it, hand it to anything that takes a
 * web stream or an async iterable of bytes, or loop over it; leaving the loop, or `cancel()`, closes the socket.
 *
 * Ends only where the answer ends: one that breaks off is an error of the stream.
 */
export class AudioStream extends ReadableStream<Uint8Array> {
  readonly #state: Speaking;

  constructor(transport: Transport, call: Call) {
    const state = new Speaking(transport, call);
    super(
      {
        pull: (controller) => state.pull(controller),
        cancel: (reason) => state.cancel(reason),
      },
      { highWaterMark: 0 },
    );
    this.#state = state;
  }

  /** `x-siliconcloud-trace-id`, once the headers have come. */
  get traceId(): string | undefined {
    return this.#state.traceId;
  }

  /** Requests sent, once the answer has begun. */
  get attempts(): number | undefined {
    return this.#state.attempts;
  }
}

class Speaking {
  readonly #transport: Transport;
  readonly #call: Call;
  #deadline: Deadline | undefined;
  #response: WireResponse | undefined;
  #exchange: Exchange | undefined;
  #answer: AudioAnswer | undefined;

  constructor(transport: Transport, call: Call) {
    this.#transport = transport;
    this.#call = call;
  }

  get traceId(): string | undefined {
    return this.#response?.header("x-siliconcloud-trace-id");
  }

  get attempts(): number | undefined {
    return this.#exchange?.attempts;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const answer = (this.#answer ??= await this.#begin());
      this.#deadline!.throwIfStopped();
      const piece = await answer.next();
      if (piece !== null) return controller.enqueue(piece);
      this.#end();
      controller.close();
    } catch (thrown) {
      const error = this.#exchange?.explain(thrown) ?? thrown;
      if (isSiliconFlowError(error) && this.#exchange !== undefined) error.attempts = this.#exchange.attempts;
      this.#deadline?.abandon();
      this.#end();
      throw error;
    }
  }

  cancel(reason: unknown): void {
    this.#deadline?.stop(reason);
    this.#end();
  }

  async #begin(): Promise<AudioAnswer> {
    const { deadline, run } = this.#transport.open<AudioAnswer>(this.#call);
    this.#deadline = deadline;
    return await run(async (response, exchange) => {
      const answer = await AudioAnswer.begin(response, exchange);
      this.#response = response;
      this.#exchange = exchange;
      return answer;
    });
  }

  #end(): void {
    this.#exchange?.settle(undefined);
    this.#deadline?.end();
  }
}
