import { hide, setName, SiliconFlowError, type ErrorDetails } from "./siliconflow-error.js";

// All of them are had from here.
export * from "./api-errors.js";
export { isSiliconFlowError, SiliconFlowError, type ErrorDetails, type ErrorReason } from "./siliconflow-error.js";

/** An option or an input that cannot work, found before anything was sent. */
export class InvalidInputError extends SiliconFlowError {
  static {
    setName(this, "InvalidInputError");
  }

  /** Index of the bad element, when the input is a list. */
  readonly position: number | undefined;

  constructor(message: string, details: ErrorDetails & { position?: number } = {}) {
    super(message, { reason: "invalidOption", ...details });
    this.position = details.position;
  }
}

/** No answer arrived: name resolution, connection, TLS, proxy, or the socket closed early. */
export class ConnectionError extends SiliconFlowError {
  static {
    setName(this, "ConnectionError");
  }
}

/** The limits of `timeouts`, each by its name. */
export type TimeoutPhase = "connect" | "firstByte" | "idle" | "total";

/** A limit of `timeouts` passed, or the caller's signal timed out (`phase` is then `"total"`). */
export class TimeoutError extends SiliconFlowError {
  static {
    setName(this, "TimeoutError");
  }

  /** Which limit. */
  readonly phase: TimeoutPhase;
  /** What had arrived of a stream. Absent when nothing had. Not enumerable: logs must not hold answers. */
  declare readonly partial: PartialCompletion | undefined;

  constructor(message: string, details: ErrorDetails & { phase: TimeoutPhase; partial?: PartialCompletion }) {
    super(message, { reason: "timeout", ...details });
    this.phase = details.phase;
    hide(this, "partial", details.partial);
  }
}

/** What had arrived of a stream when it broke, in the fields of a whole answer. Of several choices, the first. */
export interface PartialCompletion {
  content: string;
  reasoning_content: string;
  tool_calls: { id: string; type: "function"; function: { name: string; arguments: string } }[];
  finish_reason: string | null;
  // The details of usage belong to the chat resource, which errors do not import.
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number; [field: string]: unknown };
}

/** The stream broke after it began. Never retried: a part of the answer has been shown. */
export class StreamError extends SiliconFlowError {
  static {
    setName(this, "StreamError");
  }

  /** SiliconFlow's own number, when the service reported an error inside the stream. */
  readonly code: number | string | undefined;
  /** What had arrived. Not enumerable: logs must not hold answers. */
  declare readonly partial: PartialCompletion;

  constructor(
    message: string,
    details: ErrorDetails & { partial: PartialCompletion; code?: number | string | undefined },
  ) {
    super(message, { reason: "truncated", ...details });
    this.code = details.code;
    hide(this, "partial", details.partial);
  }
}

/** The service answered with success, and the answer cannot be used. */
export class InvalidResponseError extends SiliconFlowError {
  static {
    setName(this, "InvalidResponseError");
  }

  /** Index of the input whose result cannot be trusted, where the answer is a list. */
  readonly position: number | undefined;

  constructor(message: string, details: ErrorDetails & { position?: number } = {}) {
    super(message, { reason: "malformed", ...details });
    this.position = details.position;
  }
}

/** A video or a batch came to another end than was hoped for. */
export class JobFailedError extends SiliconFlowError {
  static {
    setName(this, "JobFailedError");
  }

  /** Of the video (`requestId`) or the batch. */
  readonly id: string;
  /** How it ended, in the service's word. */
  readonly status: string;
  /** The job as it was last seen. Not enumerable. Of a batch that expired or was cancelled, its files hold what was answered. */
  declare readonly job: object;

  constructor(message: string, details: ErrorDetails & { id: string; status: string; job: object }) {
    super(message, { reason: "jobFailed", ...details });
    this.id = details.id;
    this.status = details.status;
    hide(this, "job", details.job);
  }
}

/** Part of a list succeeded. What was paid for is kept in `results`. */
export class PartialFailureError<T = unknown> extends SiliconFlowError {
  static {
    setName(this, "PartialFailureError");
  }

  /** Sparse, in the order of the input. Not enumerable: a log line must not print thousands of vectors. */
  declare readonly results: (T | undefined)[];
  /** One entry for each gap in `results`, by position. */
  readonly failures: { position: number; error: Error }[];
  /** Asks only for what is missing, and resolves to the complete list. */
  declare readonly resume: (options?: { signal?: AbortSignal }) => Promise<T[]>;

  constructor(
    message: string,
    details: {
      results: (T | undefined)[];
      failures: { position: number; error: Error }[];
      resume: (options?: { signal?: AbortSignal }) => Promise<T[]>;
      cause?: unknown;
      attempts?: number;
    },
  ) {
    const { attempts = 0 } = details;
    super(message, {
      reason: "partial",
      retryable: true,
      attempts,
      ...("cause" in details && { cause: details.cause }),
    });
    this.failures = details.failures;
    hide(this, "results", details.results);
    hide(this, "resume", details.resume);
  }
}
