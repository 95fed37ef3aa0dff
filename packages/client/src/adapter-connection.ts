import { InvalidInputError } from "./errors.js";
import { ownOptions, type ClientOptions, type RequestOptions } from "./options.js";
import type { Assets } from "./resources/assets.js";
import type { Chat } from "./resources/chat.js";
import type { Completions } from "./resources/completions.js";
import type { Batches } from "./resources/batches.js";
import type { Embeddings } from "./resources/embeddings.js";
import type { Files } from "./resources/files.js";
import type { Images } from "./resources/images.js";
import type { Messages } from "./resources/messages.js";
import type { Rerank } from "./resources/rerank.js";
import type { Speech } from "./resources/speech.js";
import type { Transcriptions } from "./resources/transcriptions.js";
import type { Videos } from "./resources/videos.js";
import { SiliconFlowClient } from "./undici-client.js";
import { clientOptionNames } from "./unknown-options.js";

/** The part of a client that an adapter uses, by endpoint: a `SiliconFlowClient` from either entry and either build has it. */
interface Endpoints {
  chat: {
    readonly baseURL: string;
    readonly chat: Pick<Chat, "create" | "stream">;
    readonly messages: Pick<Messages, "create" | "stream">;
  };
  completions: { readonly completions: Pick<Completions, "create" | "stream"> };
  embeddings: { readonly embeddings: Pick<Embeddings, "create"> };
  rerank: { readonly rerank: Pick<Rerank, "create"> };
  images: { readonly images: Pick<Images, "generate">; readonly assets: Pick<Assets, "open"> };
  speech: { readonly speech: Pick<Speech, "create" | "stream"> };
  transcriptions: { readonly transcriptions: Pick<Transcriptions, "create"> };
  videos: { readonly videos: Pick<Videos, "submit" | "status" | "wait">; readonly assets: Pick<Assets, "open"> };
  batches: {
    readonly baseURL: string;
    readonly files: Pick<Files, "upload" | "list" | "content">;
    readonly batches: Pick<Batches, "create" | "get" | "list" | "cancel" | "wait" | "redact">;
  };
}

/** Where it is not `create`. */
const mainMethods: Partial<Record<keyof Endpoints, string>> = { images: "generate", videos: "submit" };

/** A client that an adapter for this endpoint can share. */
export type ClientFor<Endpoint extends keyof Endpoints> = Endpoints[Endpoint];

/** How an adapter's requests get out: a client that is shared, or the options to make one of its own. */
export interface AdapterConnection<Endpoint extends keyof Endpoints> extends ClientOptions {
  /**
   * A client to share between adapters: one pool of connections, one policy of retries, one limiter.
   * With it, `headers`, `timeouts` and `maxRetries` still apply to each request; the other client options belong to the client.
   */
  client?: ClientFor<Endpoint> | undefined;
  /** The names that LangChain's OpenAI classes use for the same things, so that code can be moved over. */
  configuration?:
    | {
        apiKey?: string | undefined;
        baseURL?: string | null | undefined;
        defaultHeaders?: Headers | Record<string, string | null | undefined> | undefined;
      }
    | undefined;
}

/** The names of {@link AdapterConnection}'s options, for {@link refuseUnknownOptions}. */
export const connectionOptions: Readonly<Record<keyof AdapterConnection<keyof Endpoints>, true>> = {
  ...clientOptionNames,
  client: true,
  configuration: true,
};

const perRequest = ["headers", "timeouts", "maxRetries"] as const;
const perClient = [
  "apiKey",
  "baseURL",
  "region",
  "dispatcher",
  "maxResponseBytes",
  "limiter",
  "onRetry",
  "onWait",
] as const;
const understood = new Set(["apiKey", "baseURL", "defaultHeaders"]);

/**
 * For adapters: the client to send with, and what to add to each request.
 * `watch` is told of each error that a client made here retries.
 *
 * @throws {@link InvalidInputError} when options contradict one another or would have no effect.
 */
export function connectAdapter<Endpoint extends keyof Endpoints>(
  endpoint: Endpoint,
  fields: AdapterConnection<Endpoint>,
  watch?: (error: unknown) => void,
): { client: ClientFor<Endpoint>; requestOptions: RequestOptions } {
  const own = ownOptions(fields);
  const given = ownOptions(withConfiguration(own));
  const { client } = own;
  if (client === undefined) {
    const onRetry: ClientOptions["onRetry"] = (event) => {
      watch?.(event.error);
      given.onRetry?.(event);
    };
    const options = { ...pick(given, [...perRequest, ...perClient]), onRetry };
    return { client: new SiliconFlowClient(options), requestOptions: {} };
  }
  const method = mainMethods[endpoint] ?? "create";
  if (typeof (client as Partial<Record<string, Record<string, unknown>>> | null)?.[endpoint]?.[method] !== "function") {
    throw new InvalidInputError(
      "client must be a SiliconFlowClient. Give its options beside the other fields, not inside it.",
    );
  }
  const idle = perClient.filter((name) => given[name] !== undefined);
  if (idle.length > 0) {
    throw new InvalidInputError(
      `${idle.join(", ")} would have no effect beside a client that is already made. Give it to the client.`,
    );
  }
  return { client, requestOptions: pick(given, perRequest) };
}

/** Options of one request: those of the adapter, under those of the call. */
export function requestOptionsOf(always: RequestOptions, call: RequestOptions): RequestOptions {
  const merged = { ...always, ...call };
  if (always.headers && call.headers) merged.headers = { ...always.headers, ...call.headers };
  if (always.timeouts && call.timeouts) merged.timeouts = { ...always.timeouts, ...call.timeouts };
  return merged;
}

function withConfiguration(fields: AdapterConnection<keyof Endpoints>): ClientOptions {
  const { configuration } = fields;
  if (configuration === undefined || configuration === null) return fields;
  // An option that is quietly ignored is worse than a refused one: a `fetch` given here may be someone's proxy.
  const unknown = Object.keys(configuration).find((name) => !understood.has(name));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      `configuration.${unknown} is not supported. Use timeouts, headers or dispatcher, or give a client.`,
    );
  }
  const { apiKey, baseURL, defaultHeaders } = ownOptions(configuration);
  return {
    ...fields,
    apiKey: fields.apiKey ?? apiKey,
    baseURL: fields.baseURL ?? baseURL ?? undefined,
    headers: defaultHeaders == null ? fields.headers : { ...plainHeaders(defaultHeaders), ...fields.headers },
  };
}

/** As those of OpenAI's SDK may be given. */
function plainHeaders(given: Headers | Record<string, string | null | undefined>): Record<string, string> {
  const entries = given instanceof Headers ? [...given.entries()] : Object.entries(given);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] != null));
}

function pick<K extends keyof ClientOptions>(options: ClientOptions, names: readonly K[]): Pick<ClientOptions, K> {
  const picked: Partial<ClientOptions> = {};
  for (const name of names) if (options[name] !== undefined) picked[name] = options[name];
  return picked as Pick<ClientOptions, K>; // Only optional properties, and only these names.
}
