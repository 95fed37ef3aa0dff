import { setName, SiliconFlowError, type ErrorDetails } from "./siliconflow-error.js";

/** What an {@link ApiError} is made of; the fields are those of the error. */
export interface ApiErrorDetails extends ErrorDetails {
  status: number;
  code?: number | string | undefined;
  retryAfterMs?: number | undefined;
}

/** The service answered with an error. Branch on `status`, `reason` or the subclass. */
export class ApiError extends SiliconFlowError {
  static {
    setName(this, "ApiError");
  }

  /** HTTP status. 200 when the service wrapped an error into a successful answer. */
  readonly status: number;
  /** SiliconFlow's own number, e.g. `20012`; absent when the answer carried none. */
  readonly code: number | string | undefined;
  /** How long the service asked us to wait, in milliseconds (`Retry-After`). */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ApiErrorDetails) {
    super(message, details);
    this.status = details.status;
    this.code = details.code;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** 400 or 422: the request cannot be served as it is. Never retried. */
export class BadRequestError extends ApiError {
  static {
    setName(this, "BadRequestError");
  }
}

/** The prompt is longer than the model's context. Shorten it, or ask a model with a longer one. */
export class ContextLengthError extends BadRequestError {
  static {
    setName(this, "ContextLengthError");
  }

  /** Tokens of the prompt, when the service named them. */
  readonly promptTokens: number | undefined;
  /** Tokens the model takes, when the service named them. */
  readonly maxTokens: number | undefined;

  constructor(message: string, details: ApiErrorDetails & { promptTokens?: number; maxTokens?: number }) {
    super(message, details);
    this.promptTokens = details.promptTokens;
    this.maxTokens = details.maxTokens;
  }
}

/** 401: the key is wrong, or belongs to the other site. */
export class AuthenticationError extends ApiError {
  static {
    setName(this, "AuthenticationError");
  }
}

/** 403: the account may not use this model. */
export class PermissionDeniedError extends ApiError {
  static {
    setName(this, "PermissionDeniedError");
  }
}

/** The account has no balance or quota left. Never retried. */
export class InsufficientBalanceError extends ApiError {
  static {
    setName(this, "InsufficientBalanceError");
  }
}

/** The model (code 20012) or the path (404) does not exist. */
export class NotFoundError extends ApiError {
  static {
    setName(this, "NotFoundError");
  }

  /** The id that was asked for, when the service says that it is the model that does not exist. */
  readonly model: string | undefined;
  /** Ids of models of this site that resemble it, the nearest first; empty when none does, or none could be asked for. */
  readonly suggestions: string[];

  constructor(message: string, details: ApiErrorDetails & { model?: string | undefined; suggestions?: string[] }) {
    super(message, details);
    this.model = details.model;
    this.suggestions = details.suggestions ?? [];
  }
}

/** 413: too many inputs in one request. */
export class PayloadTooLargeError extends ApiError {
  static {
    setName(this, "PayloadTooLargeError");
  }

  /** Inputs the service takes in one request, when its answer named the number. */
  readonly maxBatchSize: number | undefined;

  constructor(message: string, details: ApiErrorDetails & { maxBatchSize?: number }) {
    super(message, details);
    this.maxBatchSize = details.maxBatchSize;
  }
}

/** Requests, tokens or images, per minute, hour or day. */
export type RateLimitClass = "RPM" | "RPH" | "RPD" | "TPM" | "TPD" | "IPM" | "IPD";

/**
 * A rate limit of the account still holds after the client's retries. With `attempts` 0 it comes from the client's limiter:
 * a limit per hour or day is used up, nothing was sent, and `status` 429 stands for what the service would have said.
 */
export class RateLimitError extends ApiError {
  static {
    setName(this, "RateLimitError");
  }

  /** Which limit, when the service named it. */
  readonly limit: RateLimitClass | undefined;
  /** When it is worth trying again, as far as known. For hours and days: the end of the hour, or of the day in China. */
  readonly retryAt: Date | undefined;

  constructor(
    message: string,
    details: ApiErrorDetails & { limit?: RateLimitClass | undefined; retryAt?: Date | undefined },
  ) {
    super(message, details);
    this.limit = details.limit;
    this.retryAt = details.retryAt;
  }
}

/** Any 5xx: the model or the gateway is down or overloaded. */
export class ServiceUnavailableError extends ApiError {
  static {
    setName(this, "ServiceUnavailableError");
  }
}
