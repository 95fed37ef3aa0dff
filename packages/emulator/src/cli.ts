#!/usr/bin/env node
import { parseArgs } from "node:util";
import { startEmulator } from "./emulator.js";
import type { Limits } from "./limits.js";
import type { EmulatorOptions } from "./options.js";

const help = `siliconflow-emulator: a local stand-in for the SiliconFlow API. Its models are not real models.

  --port <n>        port on 127.0.0.1 (default 8787; 0 takes a free one)
  --api-key <key>   the key to accept (default sk-emulator)
  --models <kind>   lexical (default), or semantic: also serves real English sentence embeddings
  --batch-cap <n>   most texts in one embeddings request (default 32)
  --seed <n>        another seed is another service: its vectors differ (default 0)
  --speech <kind>   auto (default): spoken by espeak-ng where it is installed; or own: the same bytes everywhere
  --rpm <n>         requests per minute for each model; also --rph, --rpd (default none)
  --tpm <n>         tokens per minute for each model; also --tpd (default none)
  --ipm <n>         pictures per minute for each model; also --ipd (default none)
  --window <kind>   how they are counted: sliding (default), or fixed: by whole minutes, hours and days
  --help            this text
`;

/** Flags of limits, and what they set. */
const limitOptions = {
  rpm: "requestsPerMinute",
  rph: "requestsPerHour",
  rpd: "requestsPerDay",
  tpm: "tokensPerMinute",
  tpd: "tokensPerDay",
  ipm: "imagesPerMinute",
  ipd: "imagesPerDay",
} as const;

try {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8787" },
      "api-key": { type: "string" },
      models: { type: "string" },
      "batch-cap": { type: "string" },
      seed: { type: "string" },
      speech: { type: "string" },
      rpm: { type: "string" },
      rph: { type: "string" },
      rpd: { type: "string" },
      tpm: { type: "string" },
      tpd: { type: "string" },
      ipm: { type: "string" },
      ipd: { type: "string" },
      window: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) console.log(help);
  else await serve(values);
} catch (error) {
  console.error(`siliconflow-emulator: ${explain(error)}`);
  process.exitCode = 1;
}

interface Arguments {
  port: string;
  "api-key"?: string | undefined;
  models?: string | undefined;
  "batch-cap"?: string | undefined;
  seed?: string | undefined;
  speech?: string | undefined;
  rpm?: string | undefined;
  rph?: string | undefined;
  rpd?: string | undefined;
  tpm?: string | undefined;
  tpd?: string | undefined;
  ipm?: string | undefined;
  ipd?: string | undefined;
  window?: string | undefined;
}

async function serve(values: Arguments): Promise<void> {
  const options: EmulatorOptions = { port: wholeNumber("port", values.port) };
  if (values["api-key"] !== undefined) options.apiKey = values["api-key"];
  // Whatever it is, startEmulator checks it and names what it takes.
  if (values.models !== undefined) options.models = values.models as "lexical" | "semantic";
  if (values["batch-cap"] !== undefined) options.batchCap = wholeNumber("batch-cap", values["batch-cap"]);
  if (values.seed !== undefined) options.seed = wholeNumber("seed", values.seed);
  if (values.speech !== undefined) options.speech = values.speech as "auto" | "own";
  options.limits = limitsFrom(values);
  const emulator = await startEmulator(options);

  console.log(`This is an emulator of the SiliconFlow API, not the service:
its answers are made up on this machine.

  Base URL  ${emulator.url}
  API key   ${emulator.apiKey}

Stop it with Ctrl+C.`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void emulator.close());
}

function limitsFrom(values: Arguments): Limits {
  const limits: Limits = {};
  for (const flag of Object.keys(limitOptions) as (keyof typeof limitOptions)[]) {
    const text = values[flag];
    if (text !== undefined) limits[limitOptions[flag]] = wholeNumber(flag, text);
  }
  if (values.window !== undefined) limits.window = values.window as "sliding" | "fixed";
  return limits;
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new RangeError(`--${option} takes a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

function explain(error: unknown): string {
  const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === "EADDRINUSE") return `port ${port} is taken. Choose another with --port, or --port 0 for a free one.`;
  if (code === "EACCES") return `this user may not listen on port ${port}. Choose one above 1023 with --port.`;
  if (code?.startsWith("ERR_PARSE_ARGS")) return `${message.replace(/\.?$/, ".")} See siliconflow-emulator --help.`;
  return message;
}
