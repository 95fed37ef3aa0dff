/**
 * Asks your documents a question: reads a folder, embeds what is new, retrieves, reranks, and answers with checked quotes.
 *
 *   npm run demo
 *   npm run demo -- --docs ./notes "What did we decide about the cache?"
 */
import { explain, Failure } from "./failure.ts";
import { findFiles, readDocuments } from "./documents.ts";
import { help, readOptions } from "./options.ts";
import { ownDocuments } from "./own-documents.ts";
import { printable } from "./printable.ts";

const interrupted = new AbortController();
let exitCode = 1;
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => {
    // A second Ctrl-C does not wait for anything.
    if (interrupted.signal.aborted) process.exit(code);
    exitCode = code;
    interrupted.abort(new Failure("Stopped. Run the same command again to go on from here."));
  });
}
// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(help);
  } else {
    const documents = await readAll(options.docs);
    // Loaded late: --help, a mistyped option or folder should not wait for LangChain and a database.
    const { runDemo } = await import("./run-demo.ts");
    await runDemo(options, documents, interrupted.signal);
  }
} catch (error) {
  process.stderr.write(`\n${explain(interrupted.signal.aborted ? interrupted.signal.reason : error)}\n`);
  process.exitCode = exitCode;
}

async function readAll(docs: string | undefined) {
  const collection = docs === undefined ? await ownDocuments() : await findFiles(docs);
  const skipped: string[] = [];
  const { signal } = interrupted;
  const reading = readDocuments(collection, {
    signal,
    onSkip: (source, reason) => skipped.push(`${source}: ${reason}`),
  });
  // Told after the bar has gone.
  return reading.finally(() => skipped.forEach((each) => process.stderr.write(`Skipped ${printable(each)}\n`)));
}
