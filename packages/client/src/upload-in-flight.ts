import type { Deadline } from "./deadline.js";
import { isSiliconFlowError } from "./errors.js";
import type { Form } from "./multipart.js";
import { unreadable } from "./upload.js";
import type { Wire } from "./wire.js";

/** A body on its way: tells the deadline of each piece, and ends with the attempt, also one that is answered before it is complete. */
export class UploadInFlight {
  readonly stream: ReadableStream<Uint8Array>;
  /** Rejects with what the file itself failed of. */
  readonly #failed: Promise<never>;

  constructor(form: Form, deadline: Deadline, { sendsInTurn = false }: Wire) {
    const reader = form.open(sendsInTurn).getReader();
    let fail: (error: unknown) => void;
    let isOver = false;
    this.#failed = new Promise<never>((_, reject) => (fail = reject));
    this.#failed.catch(() => {});
    this.stream = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          // A wire may be waiting for a piece that never comes, and whoever makes the pieces for somebody to take them.
          deadline.onAttemptEnd = () => {
            isOver = true;
            const reason = new Error("The upload has ended before its file.");
            controller.error(reason);
            reader.cancel(reason).catch(() => {});
          };
        },
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (isOver) return;
            if (done) {
              deadline.uploaded();
              return controller.close();
            }
            deadline.uploading();
            controller.enqueue(value);
          } catch (cause) {
            const error = isSiliconFlowError(cause) ? cause : unreadable(cause);
            fail(error);
            controller.error(error);
          }
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  /** What the wire makes of a file that fails is not what failed. */
  untilFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed]);
  }
}
