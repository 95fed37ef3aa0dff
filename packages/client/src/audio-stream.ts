import { AtomicFile } from "./atomic-file.js";
import { AudioAnswer } from "./audio-answer.js";
import { InvalidInputError, isSiliconFlowError } from "./errors.js";
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

  /**
   * Writes all of it to a file, which appears under its name when it is complete and replaces what was there. In place of reading, and
   * with less memory: each piece is gone once it is written.
   *
   * @example
   * ```ts
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const model = "FunAudioLLM/CosyVoice2-0.5B";
   * const sound = client.speech.stream({ model, voice: `${model}:claire`, input: "Good night." });
   * const { path, size } = await sound.save("night.mp3");
   * console.log(path, size);
   * ```
   *
   * @returns the absolute path, and the bytes
   * @throws {@link InvalidInputError} when no file can be made at `path`, or somebody reads the stream, or has; and what a read throws
   */
  async save(path: string | URL): Promise<{ path: string; size: number }> {
    if (this.locked || this.#state.isBegun)
      throw new InvalidInputError("The sound is being read already, or has been: save one that nobody has read of.");
    const reader = this.getReader();
    // Before anything is asked for that costs money.
    const file = await AtomicFile.create(path).catch((error: unknown) => {
      reader.releaseLock();
      throw error;
    });
    let size = 0;
    try {
      for (let piece = await this.#state.next(true); piece !== null; piece = await this.#state.next(true)) {
        await file.write(piece);
        size += piece.length;
      }
      return { path: await file.finish(), size };
    } catch (error) {
      this.#state.cancel(error);
      await file.discard();
      throw error;
    }
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
  #isBegun = false;
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

  /** Whether anything was asked for, or given up: what is left would be no whole file. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const piece = await this.next(false);
    if (piece === null) controller.close();
    else controller.enqueue(piece);
  }

  /** @param lent - whether a piece may be gone when the next one is asked for */
  async next(lent: boolean): Promise<Uint8Array | null> {
    this.#isBegun = true;
    try {
      if (this.#answer === undefined) {
        this.#answer = await this.#begin();
        if (lent) this.#response!.body.lend?.();
      }
      this.#deadline!.throwIfStopped();
      const piece = await this.#answer.next();
      if (piece === null) this.#end();
      return piece;
    } catch (thrown) {
      const error = this.#exchange?.explain(thrown) ?? thrown;
      if (isSiliconFlowError(error) && this.#exchange !== undefined) error.attempts = this.#exchange.attempts;
      this.#deadline?.abandon();
      this.#end();
      throw error;
    }
  }

  cancel(reason: unknown): void {
    this.#isBegun = true;
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
