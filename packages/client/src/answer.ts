import { plainText } from "./error-from-response.js";
import { InvalidResponseError } from "./errors.js";
import type { Exchange } from "./transport.js";
import type { WireResponse } from "./wire.js";

/** Characters of a page in which something to show is looked for; more than `plainText` looks at, so that no key is cut there. */
const maxPage = 68 * 1024;

/**
 * Parses an answer, and throws what it is instead: nothing, a page for humans, or an error under a 200.
 * `isAnswer` tells an answer from an error that has the same fields.
 */
export function parseAnswer(
  text: string,
  response: WireResponse,
  exchange: Exchange,
  isAnswer: (value: Record<string, unknown>) => boolean,
): Record<string, unknown> {
  const start = text.trimStart();
  if (start === "") {
    throw new InvalidResponseError("The service answered with an empty body.", {
      reason: "empty",
      retryable: true,
      traceId: traceIdOf(response),
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may be an answer: it is not kept.
    if (start.startsWith("{") || start.startsWith("[")) {
      throw new InvalidResponseError(`The answer of ${text.length} characters is not complete JSON.`, {
        reason: "malformed",
        traceId: traceIdOf(response),
      });
    }
    // Only the beginning: masking a long page would hold everything else up.
    const shown = plainText(exchange.mask(start.slice(0, maxPage)), 200);
    throw new InvalidResponseError(
      `Not the service but something before it seems to answer; it is not JSON: ${shown}`,
      { reason: "notJson", traceId: traceIdOf(response) },
    );
  }
  // The service's refusals may be bare strings.
  if (typeof value === "string") throw exchange.refusal(start, response);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const answer = value as Record<string, unknown>;
    if (isAnswer(answer)) return answer;
    if (isErrorBody(answer)) throw exchange.refusal(start, response);
  }
  throw new InvalidResponseError("The answer lacks what its endpoint promises.", {
    reason: "malformed",
    traceId: traceIdOf(response),
  });
}

/** Read where it is shown: each header that is read is searched for secrets. */
function traceIdOf(response: WireResponse): string | undefined {
  return response.header("x-siliconcloud-trace-id");
}

/** `{ code, message }` or `{ error }`, as errors look under any status. */
export function isErrorBody(value: Record<string, unknown>): boolean {
  const { error, code, message } = value;
  if (typeof error === "string" ? error !== "" : typeof error === "object" && error !== null) return true;
  return (
    typeof message === "string" && (typeof code === "number" || typeof code === "string") && Number(code) !== 20_000
  );
}
