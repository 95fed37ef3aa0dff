import {
  type ClientOptions,
  InvalidInputError,
  type RequestOptions,
  SiliconFlowClient,
} from "@langchain-siliconflow/client";

/** The part of a client that is used here: a `SiliconFlowClient` from either entry and either build of its package. */
export interface RerankClient {
  readonly rerank: Pick<SiliconFlowClient["rerank"], "create">;
}

/** How requests get out: a client that is shared, or the options to make one of our own. */
export interface RerankConnection extends ClientOptions {
  /**
   * A client to share between adapters: one pool of connections, one policy of retries, one limiter.
   * With it, `headers`, `timeouts` and `maxRetries` still apply to each request; the other client options belong to the client.
   */
  client?: RerankClient | undefined;
  /** The names that LangChain's OpenAI classes use for the same things, so that code can be moved over. */
  configuration?: { apiKey?: string; baseURL?: string | null; defaultHeaders?: Record<string, string> } | undefined;
}

/** What a request is sent with: the client, and what this adapter adds to each request. */
export interface Connection {
  client: RerankClient;
  requestOptions: RequestOptions;
}

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

/** @throws {@link InvalidInputError} when options contradict one another or would have no effect. */
export function connect(fields: RerankConnection): Connection {
  const given = withConfiguration(fields);
  const { client } = fields;
  if (client === undefined) {
    return { client: new SiliconFlowClient(pick(given, [...perRequest, ...perClient])), requestOptions: {} };
  }
  if (typeof client?.rerank?.create !== "function") {
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

function withConfiguration(fields: RerankConnection): ClientOptions {
  const { configuration } = fields;
  if (configuration === undefined || configuration === null) return fields;
  // An option that is quietly ignored is worse than a refused one: a `fetch` given here may be someone's proxy.
  const unknown = Object.keys(configuration).find((name) => !understood.has(name));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      `configuration.${unknown} is not supported. Use timeouts, headers or dispatcher, or give a client.`,
    );
  }
  const { apiKey, baseURL, defaultHeaders } = configuration;
  return {
    ...fields,
    apiKey: fields.apiKey ?? apiKey,
    baseURL: fields.baseURL ?? baseURL ?? undefined,
    headers: defaultHeaders === undefined ? fields.headers : { ...defaultHeaders, ...fields.headers },
  };
}

function pick<K extends keyof ClientOptions>(options: ClientOptions, names: readonly K[]): Pick<ClientOptions, K> {
  const picked: Partial<ClientOptions> = {};
  for (const name of names) if (options[name] !== undefined) picked[name] = options[name];
  return picked as Pick<ClientOptions, K>; // Only optional properties, and only these names.
}
