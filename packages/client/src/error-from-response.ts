import {
  ApiError,
  AuthenticationError,
  BadRequestError,
  ContextLengthError,
  InsufficientBalanceError,
  NotFoundError,
  PayloadTooLargeError,
  PermissionDeniedError,
  RateLimitError,
  ServiceUnavailableError,
  type ApiErrorDetails,
  type RateLimitClass,
} from "./errors.js";
import { parseRetryAfter, serverTime, untilReset } from "./retry.js";

/** What is known of a refusal. `text` has been masked already. */
export interface Refusal {
  status: number;
  text: string;
  /** Takes out of a text what must not be shown. */
  redact(text: string): string;
  header(name: string): string | undefined;
  /** The model that was asked for. */
  model?: string | undefined;
  baseURL: string;
  region: "cn" | "global" | undefined;
  /** Milliseconds since 1970, by our clock. */
  now: number;
}

const maxShown = 300;
const maxCode = 64;

/** Turns a refusal of the service, in any of its shapes and under any status, into the narrowest error. */
export function errorFromResponse(refusal: Refusal): ApiError {
  const { status, header } = refusal;
  const { message, code } = readBody(refusal);
  const kind = classify(status, code, message);
  const retryAfterMs = parseRetryAfter(header("retry-after"), header("date"), refusal.now);
  const details: ApiErrorDetails = { status, code, retryAfterMs, traceId: header("x-siliconcloud-trace-id") };
  const text = describe(refusal, message, code, details.traceId);

  switch (kind) {
    case "auth":
      return new AuthenticationError(text(authHint(refusal)), { ...details, reason: "auth" });
    case "balance":
      return new InsufficientBalanceError(
        text("The account's balance or quota is used up: top it up, then try again."),
        {
          ...details,
          reason: "balance",
        },
      );
    case "permission":
      return new PermissionDeniedError(
        text(
          "The account may not use this: the model may be disabled, or ask for verification. models.list names what can be used.",
        ),
        { ...details, reason: "permission" },
      );
    case "notFound": {
      // A wrong base URL gives a 404 as well, which says nothing of models.
      const ofModel = Number(code) === 20012 || /\bmodels?\b/i.test(message);
      return new NotFoundError(
        text(
          ofModel
            ? "models.list names the models of this site; they differ between sites."
            : `Check the model id (models.list names those of this site) and the base URL ${refusal.baseURL}.`,
        ),
        { ...details, reason: "notFound", ...(ofModel && { model: refusal.model }) },
      );
    }
    case "contextLength":
      return new ContextLengthError(text("Shorten the prompt, or use a model with a longer context."), {
        ...details,
        ...contextNumbers(message),
        reason: "contextLength",
      });
    case "tooLarge": {
      const size = /maximum allowed batch size ?:? ?(\d+)/i.exec(message)?.[1];
      return new PayloadTooLargeError(text("Send fewer or smaller inputs in one request."), {
        ...details,
        reason: "tooLarge",
        ...(size !== undefined && { maxBatchSize: Number(size) }),
      });
    }
    case "rateLimit":
      return rateLimitError(refusal, message, text, details);
    case "unavailable": {
      const retryable = status !== 501 && status !== 505;
      return new ServiceUnavailableError(text(retryable ? "Try again later, or ask another model." : ""), {
        ...details,
        reason: status === 503 || /overload|too busy|really busy|503/i.test(message) ? "overloaded" : "server",
        retryable,
      });
    }
    case "badRequest":
      return new BadRequestError(text(parameterHint(message)), { ...details, reason: "badRequest" });
    case "timeout":
      return new ApiError(text(""), { ...details, reason: "timeout", retryable: true });
    default:
      return new ApiError(text(""), { ...details, reason: "badRequest" });
  }
}

type Kind =
  | "auth"
  | "balance"
  | "permission"
  | "notFound"
  | "contextLength"
  | "tooLarge"
  | "rateLimit"
  | "unavailable"
  | "badRequest"
  | "timeout"
  | "other";

// What these look at is plain text: a line of 300 characters, without two spaces in a row.
const limitDetails = /Details: ?(RPM|RPH|RPD|TPM|TPD|IPM|IPD)\b/i;
const limitName = /\b(RPM|RPH|RPD|TPM|TPD|IPM|IPD)\b(?= limit)/i;
const limitWords = /\brate.?limit/i;
/** Also said of limits: "quota" under a 429 means money only where nothing is said of a rate. */
const quotaWords = /\bquota\b/i;
const balanceWords = /\bbalance\b|\barrears\b|insufficient funds|余额|欠费/i;
const contextWords =
  /maximum context length|context length exceeded|max(imum)?.{0,20}(seq|context).{0,8}len|input.{0,20}too long/i;
const promptTokens = /prompt_tokens(?: \((\d+)\))?/i;
const maxTokens = /max_seq_len(?: \((\d+)\))?/i;

/** Text before status: gateways in between are known to change the status, and some errors come with a 200. */
function classify(status: number, code: number | string | undefined, message: string): Kind {
  const number = Number(code);
  // Statuses whose message is about the request may echo words of it.
  const aboutRequest = status === 400 || status === 401 || status === 404 || status === 413 || status === 422;
  if (!aboutRequest && (limitDetails.test(message) || limitName.test(message))) return "rateLimit";
  if (status === 402 || number === 30001) return "balance";
  const ofMoney = balanceWords.test(message) || (quotaWords.test(message) && !limitWords.test(message));
  if ((status === 403 || status === 429) && ofMoney) return "balance";
  if (status === 429 || (!aboutRequest && limitWords.test(message))) return "rateLimit";
  if (status === 401) return "auth";
  if (number === 20012 || status === 404) return "notFound";
  if (status === 413 || number === 20042) return "tooLarge";
  if ((status === 400 || status === 200 || status === 422) && isTooLong(message)) return "contextLength";
  if (status === 400 || status === 422) return "badRequest";
  if (status === 403) return "permission";
  if (status === 408) return "timeout";
  if (status >= 500) return "unavailable";
  if (status >= 300) return "other";

  // An error inside a 200: only its number and its words tell.
  if (/invalid token|api key/i.test(message)) return "auth";
  if (ofMoney) return "balance";
  if (number >= 50_000 || (number >= 500 && number < 600)) return "unavailable";
  if (number >= 30_000) return "permission";
  if (number === 401) return "auth";
  if (number === 429) return "rateLimit";
  if (number >= 20_000 || (number >= 400 && number < 500)) return "badRequest";
  return "unavailable";
}

function isTooLong(message: string): boolean {
  return contextWords.test(message) || (promptTokens.test(message) && maxTokens.test(message));
}

/** Object, JSON string, bare text, HTML or nothing: the service and the gateways before it answer with all of them. */
function readBody({ text, redact }: Refusal): { message: string; code: number | string | undefined } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { message: plainText(redact(text)), code: undefined };
  }
  if (typeof value === "string") return { message: plainText(redact(value)), code: undefined };
  if (typeof value !== "object" || value === null) return { message: plainText(redact(text)), code: undefined };
  const outer = value as Record<string, unknown>;
  const inner =
    typeof outer["error"] === "object" && outer["error"] !== null ? (outer["error"] as Record<string, unknown>) : outer;
  const message = [inner["message"], outer["error"], outer["message"], outer["msg"], outer["detail"]].find(
    (one) => typeof one === "string",
  );
  const code = [inner["code"], outer["code"]].find(
    (one) => (typeof one === "number" || typeof one === "string") && one !== "",
  );
  return {
    message: plainText(redact((message as string | undefined) ?? "")),
    code: typeof code === "string" ? plainText(redact(code), maxCode) : (code as number | undefined),
  };
}

/** One short line: no tags, no line ends, no control characters. */
export function plainText(text: string, length = maxShown): string {
  // Far more than is shown.
  const plain = withoutTags(text.slice(0, 16_384))
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .trim();
  return plain.length > length ? `${plain.slice(0, length)}…` : plain;
}

/** What nobody reads, up to its end. */
const unread = new Set(["script", "style", "head", "!--"]);

/** In one pass: a pattern that looks for the end of each element can be made slow by a page that ends none. */
function withoutTags(page: string): string {
  const kept: string[] = [];
  /** How much was kept when each of these began. */
  const begun = new Map<string, number>();
  let from = 0;
  for (const { 0: tag, 1: slash, 2: inside = "!--", index } of page.matchAll(/<!--|-->|<(\/?)([a-z!][^<>]*)>/gi)) {
    const [name] = /^[a-z!-]*/i.exec(inside.toLowerCase())!;
    const ends = slash === "/" || tag === "-->";
    if (tag === "-->" && !begun.has(name)) continue;
    kept.push(page.slice(from, index));
    from = index + tag.length;
    const start = begun.get(name);
    if (!ends && unread.has(name)) begun.set(name, start ?? kept.length);
    if (!ends || start === undefined) continue;
    begun.delete(name);
    // Less is left where one of them ended inside another.
    kept.length = Math.min(kept.length, start);
  }
  return [...kept, page.slice(from)].join(" ");
}

function describe(refusal: Refusal, message: string, code: number | string | undefined, traceId: string | undefined) {
  // Log lines often keep only the message, so it carries what support will ask for.
  const ids = [code !== undefined && `code ${code}`, traceId !== undefined && `trace ${traceId}`]
    .filter(Boolean)
    .join(", ");
  // Gateways begin their pages with the status, which is said here already.
  const reason = message.startsWith(`${refusal.status} `) ? message.slice(4) : message;
  const said = reason || "The service gave no reason.";
  return (hint: string) => `${refusal.status} ${said}${ids && ` (${ids})`}${hint && ` ${hint}`}`;
}

function authHint({ baseURL, region }: Refusal): string {
  if (region === undefined)
    return `The key was refused by ${baseURL}. Keys belong to one site: check that it was made for this one.`;
  const other = region === "cn" ? "global" : "cn";
  const site = other === "cn" ? "cloud.siliconflow.cn" : "cloud.siliconflow.com";
  return (
    `The key was refused by ${baseURL} (region "${region}"). ` +
    `Keys belong to one site: a key from ${site} needs region: "${other}" (or SILICONFLOW_REGION=${other}).`
  );
}

const refuses = /not (?:support|accept|allow|permit)|unsupported|unknown|unexpected|unrecognized/i;
const nouns = new Set(["parameter", "parameters", "field", "option", "argument"]);
const verbs = new Set(["is", "are", "was", "in", "for", ""]);

/** What stands after the word for it, where the message says that it was refused. */
function refusedParameter(message: string): string | undefined {
  if (!refuses.test(message)) return undefined;
  const words = message.split(/\W+/);
  const noun = words.findIndex((word) => nouns.has(word.toLowerCase()));
  const name = noun === -1 ? undefined : words[noun + 1];
  return name === undefined || verbs.has(name.toLowerCase()) ? undefined : name;
}

/** As the adapters call it. */
function camelCase(parameter: string): string {
  const [first, ...others] = parameter.split("_");
  return first + others.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
}

function parameterHint(message: string): string {
  const parameter = refusedParameter(message);
  if (parameter !== undefined) {
    const option = camelCase(parameter);
    const alias = option === parameter ? "" : ` (the option ${option})`;
    return `Leave out "${parameter}"${alias} for this model.`;
  }
  return /json mode is not supported/i.test(message) ? "Leave out response_format for this model." : "";
}

function contextNumbers(message: string): { promptTokens?: number; maxTokens?: number } {
  const [, prompt] = promptTokens.exec(message) ?? [];
  const [, most] = maxTokens.exec(message) ?? [];
  return prompt !== undefined && most !== undefined ? { promptTokens: Number(prompt), maxTokens: Number(most) } : {};
}

function rateLimitError(
  refusal: Refusal,
  message: string,
  text: (hint: string) => string,
  details: ApiErrorDetails,
): RateLimitError {
  const name = (limitDetails.exec(message) ?? limitName.exec(message))?.[1];
  const limit = name?.toUpperCase() as RateLimitClass | undefined;
  const { retryAfterMs } = details;
  let waitMs = retryAfterMs;
  if (waitMs === undefined && limit !== undefined) {
    waitMs = untilReset(limit, serverTime(refusal.header("date"), refusal.now));
  }
  // Hours and days are not waited for unless the service itself says so.
  const short = retryAfterMs !== undefined || limit === undefined || limit.endsWith("M");
  const retryAt = waitMs === undefined ? undefined : new Date(refusal.now + waitMs);
  const hint =
    limit === undefined
      ? "Send less at once (maxConcurrency), or ask the service for a higher limit."
      : `The account's ${limit} limit for this model is reached${short || !retryAt ? "" : `; it is expected to reset at ${retryAt.toISOString()}`}.`;
  return new RateLimitError(text(hint), { ...details, reason: "rateLimit", retryable: short, limit, retryAt });
}
