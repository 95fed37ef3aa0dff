import { type Emulator, startEmulator } from "@langchain-siliconflow/emulator";
import { SiliconFlowClient } from "langchain-siliconflow";
import { Failure } from "./failure.ts";

/** Who answers: the service, another host, or an emulator in this process. */
export interface Host {
  client: SiliconFlowClient;
  emulator: boolean;
  close(): Promise<void>;
}

/** The service when there is a key, else an emulator started here; `tell` gets lines for the person who waits. */
export async function openHost(
  tell: (line: string) => void,
  seed: number | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Host> {
  const key = env["SILICONFLOW_API_KEY"]?.trim();
  const address = env["SILICONFLOW_BASE_URL"]?.trim();
  if (!key && address && !isLoopback(address)) {
    throw new Failure(
      `SILICONFLOW_BASE_URL names ${address}, but there is no key for it. Set SILICONFLOW_API_KEY, or unset SILICONFLOW_BASE_URL to try this offline.`,
    );
  }

  let own: Emulator | undefined;
  if (!key && !address) {
    own = await startEmulator(seed === undefined ? {} : { seed });
    tell("Offline: SILICONFLOW_API_KEY is not set, so a local emulator answers.");
    tell("It ranks by words and answers in quotes; it is no language model.");
  }
  const client = new SiliconFlowClient({
    apiKey: own?.apiKey ?? key ?? "sk-emulator",
    ...(own && { baseURL: own.url }),
    onRetry: ({ attempt, delayMs, error }) =>
      tell(`Trying again in ${seconds(delayMs)} (attempt ${attempt} failed: ${error.message})`),
    onWait: ({ reason, delayMs }) => tell(`Waiting ${seconds(delayMs)}: ${reason}`),
  });
  const emulator = own !== undefined || (isLoopback(client.baseURL) && (await saysItIsAnEmulator(client)));
  if (!own) tell(`Asking ${client.baseURL}${emulator ? ", an emulator" : ""}.`);

  return {
    client,
    emulator,
    close: async () => {
      await client.close();
      await own?.close();
    },
  };
}

/** An emulator says so in every model it lists. A host that does not answer is found out by the first real request. */
async function saysItIsAnEmulator(client: SiliconFlowClient): Promise<boolean> {
  try {
    const { data } = await client.models.list({}, { maxRetries: 0, timeouts: { totalMs: 5000 } });
    return data.length > 0 && data.every((model) => model.owned_by === "emulator");
  } catch {
    return false;
  }
}

function isLoopback(address: string): boolean {
  const { hostname } = URL.parse(address) ?? { hostname: "" };
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
