import { quiet } from "./journal.js";
import type { Stage } from "./scenario.js";

export type Fields = Parameters<Stage["model"]>[0];
export type Options = NonNullable<Parameters<ReturnType<Stage["model"]>["stream"]>[1]>;

/** Reads to the end; between two chunks everything else comes to rest, so that the order of all is settled. */
export async function readCalmly<T>(stage: Pick<Stage, "journal">, stream: AsyncIterable<T>): Promise<void> {
  let together: { concat(next: T): unknown } | undefined;
  for await (const chunk of stream) {
    stage.journal.noteWithin("reader", "chunk", chunk);
    await quiet();
    // Chunks of messages, and texts.
    together = (together === undefined ? chunk : together.concat(chunk)) as NonNullable<typeof together>;
  }
  stage.journal.noteWithin("reader", "end", together);
}

/** Asks, reads calmly, and notes how that ends. */
export async function ask(stage: Stage, options?: Options, fields?: Fields): Promise<void> {
  const reading = async () => readCalmly(stage, await stage.model(fields).stream("Capital?", options));
  await stage.journal.outcome("reader", "asking", reading());
}
