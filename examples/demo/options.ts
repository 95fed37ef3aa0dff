import { isAbsolute, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Failure } from "./failure.ts";

export interface Options {
  /** Absolute path of a folder or file; undefined for this project's own documentation. */
  docs: string | undefined;
  question: string;
  model: string;
  embeddingModel: string;
  rerankModel: string;
  /** Passages the answer is written from. */
  topN: number;
  rerank: boolean;
  reset: boolean;
  json: boolean;
  /** Seed of the built-in emulator; another seed makes other vectors. */
  seed: number | undefined;
}

/** How many passages the vector search hands to the reranker. */
export const retrieved = 20;

const defaultQuestion = "How does LangChain help to build applications?";

export const help = `Ask your documents a question.

  npm run demo -- [--docs <folder>] ["question"]

  --docs <folder>           .md, .txt, .html and .pdf files below it (default: this project's own documentation)
  --model <id>              chat model                      (default: Qwen/Qwen3-8B)
  --embedding-model <id>    embedding model                 (default: BAAI/bge-m3)
  --rerank-model <id>       reranking model                 (default: BAAI/bge-reranker-v2-m3)
  --top-n <1-${retrieved}>            passages to answer from         (default: 5)
  --no-rerank               keep the order of the vector search
  --reset                   forget what is stored for these documents and start anew
  --json                    print one JSON object on stdout, and nothing else
  --seed <number>           another seed for the offline emulator
  --help                    this text

  SILICONFLOW_API_KEY       ask the service; without it a local emulator answers, offline
  SILICONFLOW_BASE_URL      another host
  DATABASE_URL              keep vectors in this PostgreSQL (with pgvector) instead of the embedded one
  SILICONFLOW_DEMO_HOME     folder of the embedded database (default: your cache directory)
`;

/** Reads the command line. Returns "help" when only the help text was asked for. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv = process.env): Options | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const kept = keptByNpm(env);
  if (kept) {
    throw new Failure(
      `npm took --${kept} for an option of its own. Put -- before the options: npm run demo -- --docs ./notes "What is …?"`,
    );
  }

  // Under npm the working directory is the repository; INIT_CWD is where the command was typed.
  const from = env["INIT_CWD"] || process.cwd();
  if (values.docs?.trim() === "") throw new Failure("--docs is empty. Name a folder: --docs ./notes");
  const docs =
    values.docs === undefined ? undefined : isAbsolute(values.docs) ? values.docs : resolve(from, values.docs);

  const question = positionals.length > 0 || docs ? positionals.join(" ").trim() : defaultQuestion;
  if (!question)
    throw new Failure('There is no question. Put it in quotes at the end: npm run demo -- --docs ./notes "What is …?"');

  return {
    docs,
    question,
    model: modelId("--model", values.model),
    embeddingModel: modelId("--embedding-model", values["embedding-model"]),
    rerankModel: modelId("--rerank-model", values["rerank-model"]),
    topN: integer("--top-n", values["top-n"], 1, retrieved),
    rerank: !values["no-rerank"],
    reset: values.reset,
    json: values.json,
    seed: values.seed === undefined ? undefined : integer("--seed", values.seed, 0, 2 ** 32 - 1),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        docs: { type: "string" },
        model: { type: "string", default: "Qwen/Qwen3-8B" },
        "embedding-model": { type: "string", default: "BAAI/bge-m3" },
        "rerank-model": { type: "string", default: "BAAI/bge-reranker-v2-m3" },
        "top-n": { type: "string", default: "5" },
        "no-rerank": { type: "boolean", default: false },
        reset: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        seed: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    // The first sentence names the option; the rest explains parseArgs itself.
    const [reason] = (error as Error).message.split(/\.\s|\n/);
    const hint = args.some((arg) => /^-.*\s/.test(arg))
      ? " A question that begins with a dash goes after a -- of its own."
      : "";
    throw new Failure(`${reason}. Run with --help to see every option.${hint}`);
  }
}

/** An option that was written without `--` before it: npm keeps it, and hands on the question alone. */
function keptByNpm(env: NodeJS.ProcessEnv): string | undefined {
  const names = ["docs", "model", "embedding-model", "rerank-model", "top-n", "reset", "seed"];
  return names.find((name) => env[`npm_config_${name.replaceAll("-", "_")}`] !== undefined);
}

function modelId(name: string, value: string): string {
  if (!value.trim()) throw new Failure(`${name} is empty. Give a model id, such as Qwen/Qwen3-8B.`);
  return value.trim();
}

function integer(name: string, value: string, low: number, high: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= low && number <= high) return number;
  throw new Failure(`${name} must be a whole number from ${low} to ${high}, not "${value}".`);
}
