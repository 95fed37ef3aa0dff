import { quiet } from "./journal.js";
import type { Stage } from "./scenario.js";

export type Fields = Parameters<Stage["model"]>[0];
export type Options = NonNullable<Parameters<ReturnType<Stage["model"]>["stream"]>[1]>;

/** Reads to the end; between two chunks everything else comes to rest, so that the order of all is settled. */
export async function readCalmly(stage: Pick<Stage, "journal">, stream: AsyncIterable<unknown>): Promise<void> {
  await read(stage, stream, quiet);
}

/** Reads to the end without a pause. */
export async function readEagerly(stage: Pick<Stage, "journal">, stream: AsyncIterable<unknown>): Promise<void> {
  await read(stage, stream, async () => {});
}

async function read(
  { journal }: Pick<Stage, "journal">,
  stream: AsyncIterable<unknown>,
  pause: () => Promise<void>,
): Promise<void> {
  let together: unknown;
  for await (const chunk of stream) {
    journal.noteWithin("reader", "chunk", chunk);
    await pause();
    together = together === undefined ? chunk : joined(together, chunk);
  }
  journal.noteWithin("reader", "end", together);
}

/** Chunks of messages and of logs, and texts; of other things the last one. */
function joined(before: unknown, chunk: unknown): unknown {
  const { concat } = before as { concat?: (next: unknown) => unknown };
  return typeof concat === "function" ? concat.call(before, chunk) : chunk;
}

/** Asks, reads calmly, and notes how that ends. */
export async function ask(stage: Stage, options?: Options, fields?: Fields): Promise<void> {
  const reading = async () => readCalmly(stage, await stage.model(fields).stream("Capital?", options));
  await stage.journal.outcome("reader", "asking", reading());
}
