import type { RequestOptions } from "@langchain-siliconflow/client";
import type { OpenAICoreRequestOptions } from "@langchain/openai";
import type { ChatSiliconFlowCallOptions } from "./call-options.js";

/**
 * Options of one request, from both places where they are given: LangChain's call options, and ChatOpenAI's nested `options`
 * in the shape of its SDK (there only invoke reads them). A call option wins.
 *
 * @param left - Fires when the reader of a stream has left.
 */
export function toRequestOptions(
  callOptions: Partial<ChatSiliconFlowCallOptions> | undefined,
  sdk: OpenAICoreRequestOptions | undefined,
  left: AbortSignal | undefined,
): RequestOptions {
  const { signal, headers, timeouts, maxRetries, options: nested } = callOptions ?? {};
  const allHeaders =
    sdk?.headers == null && nested?.headers == null && headers == null
      ? undefined
      : // A Headers object has nothing to spread. Other values are the client's to check.
        {
          ...plainHeaders(sdk?.headers),
          ...plainHeaders(nested?.headers),
          ...(headers instanceof Headers ? plainHeaders(headers) : headers),
        };
  const retries = maxRetries ?? nested?.maxRetries ?? sdk?.maxRetries;
  const timeout = nested?.timeout ?? sdk?.timeout;
  const signals = [signal, nested?.signal, sdk?.signal, left].filter((each) => each != null);
  const [first] = signals;

  const options: RequestOptions = {};
  if (first !== undefined) options.signal = signals.length === 1 ? first : AbortSignal.any(signals);
  if (allHeaders !== undefined && Object.keys(allHeaders).length > 0) options.headers = allHeaders;
  if (timeouts !== undefined) options.timeouts = timeouts;
  // The SDK's timeout is the time until an answer begins.
  else if (timeout !== undefined) options.timeouts = { firstByteMs: timeout };
  if (retries !== undefined) options.maxRetries = retries;
  return options;
}

/** Headers of one call, which may be secrets: core shows the options of a call to every tracer, but nobody sees into these. */
export class HiddenHeaders {
  readonly #headers: Record<string, string>;

  constructor(headers: Record<string, string>) {
    this.#headers = headers;
  }

  static reveal(headers: Record<string, string> | HiddenHeaders | undefined): Record<string, string> | undefined {
    return headers instanceof HiddenHeaders ? headers.#headers : headers;
  }
}

function plainHeaders(headers: OpenAICoreRequestOptions["headers"]): Record<string, string> {
  if (headers == null) return {};
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
