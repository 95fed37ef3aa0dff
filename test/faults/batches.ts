import type { Case } from "./case.ts";
import type { Answering, Reply } from "./fault-server.ts";
import { completion } from "./wire.ts";

/** How a batch ends: what its two files hold, and what the service says of it. */
interface End {
  output?: readonly object[];
  errors?: readonly object[];
  status?: string;
  /** Lines that the service says were answered. */
  counted?: number;
  why?: string;
}

type Ending = (ids: readonly string[]) => End;

/** A row that answers a line with the number of its input. */
const answerTo = (id: string): object => ({
  custom_id: id,
  response: { status_code: 200, body: JSON.parse(completion({ content: `answer ${Number.parseInt(id, 10)}` })) },
  error: null,
});
const failed = (id: string, code: string | number, message: string): object => ({
  custom_id: id,
  response: null,
  error: { code, message },
});
const whole: Ending = (ids) => ({ output: ids.map(answerTo) });

/** A service of files and batches: the nth batch ends in the nth way, every later one in the last. */
const serviceOf =
  (endings: readonly Ending[], answerToFirstCreation?: Reply): Answering =>
  (_, { host }, soFar) => {
    const now = soFar.at(-1)!;
    const files = soFar.filter(isUpload);
    const made = soFar.filter(isCreation).map(({ body }, index) => {
      const file = files[Number(String(body["input_file_id"]).slice("file-".length)) - 1]!;
      return batchOf(index + 1, linesOf(file), endings[Math.min(index, endings.length - 1)]!, body, host!);
    });
    if (isUpload(now)) return json({ id: `file-${files.length}` });
    if (now.path.startsWith("/v1/files")) return json({ data: [] });
    if (isCreation(now)) return (made.length === 1 && answerToFirstCreation) || json(made.at(-1)!.batch);
    const [, number, rows] = /batch_(\d+)\/?(\w*)/.exec(now.path) ?? [];
    if (number === undefined) return json({ data: made.map(({ batch }) => batch) });
    const { batch, output, errors } = made[Number(number) - 1]!;
    if (!rows) return json(batch);
    return { body: (rows === "output" ? output : errors).map((row) => `${JSON.stringify(row)}\n`).join("") };
  };

function batchOf(
  number: number,
  ids: readonly string[],
  ending: Ending,
  { input_file_id, metadata }: Record<string, unknown>,
  host: string,
): { batch: object; output: readonly object[]; errors: readonly object[] } {
  const { output = [], errors = [], status = "completed", counted = output.length, why } = ending(ids);
  const link = (name: string, rows: readonly object[]): string | null =>
    rows.length > 0 ? `http://${host}/outputs/batch_${number}/${name}` : null;
  const batch = {
    id: `batch_${number}`,
    status,
    input_file_id,
    metadata,
    output_file_id: link("output", output),
    error_file_id: link("errors", errors),
    request_counts: { total: ids.length, completed: counted, failed: errors.length },
    errors: why === undefined ? null : { data: [{ message: why }] },
  };
  return { batch, output, errors };
}

interface Came {
  path: string;
  text: string;
  headers: Record<string, unknown>;
  body: Record<string, unknown>;
}

function isUpload({ headers }: Came): boolean {
  return String(headers["content-type"]).startsWith("multipart/");
}

function isCreation({ body }: Came): boolean {
  return body["input_file_id"] !== undefined;
}

/** The names of the lines in a file that was sent. */
function linesOf({ text }: Came): string[] {
  return [...text.matchAll(/^\{"custom_id":"([^"]+)"/gm)].map(([, id]) => id!);
}

function json(value: object): Reply {
  return { body: JSON.stringify(value) };
}

/** Inputs of each file that was sent. Files of one run go out together: which of them arrives first is not promised. */
const sent =
  (...expected: number[][]): NonNullable<Case["check"]> =>
  ({ server }) => {
    const files = server.requests.filter(isUpload).map((file) => linesOf(file).map((id) => Number.parseInt(id, 10)));
    const made = server.requests.filter(isCreation).length;
    if (made !== expected.length) return `${made} batches in place of ${expected.length}`;
    const [found, wanted] = [files, expected].map((lists) =>
      lists
        .map((each) => JSON.stringify(each))
        .toSorted()
        .join(),
    );
    return found === wanted ? undefined : `the files hold ${found}`;
  };

const all = ["answer 0", "answer 1", "answer 2"];

/** Three inputs, unless it says otherwise, to a service whose batches end in these ways. */
const batched = (fault: string, endings: readonly Ending[], more: Partial<Case>): Case => ({
  row: 61,
  fault,
  targets: ["viaBatch"],
  replies: [serviceOf(endings)],
  ...more,
});

/** The second of three has no answer, and the others are kept. */
const withoutTheSecond = (error: Record<string, unknown>): Partial<Case> => ({
  throws: {
    name: "PartialFailureError",
    results: [{ text: "answer 0" }, undefined, { text: "answer 2" }],
    failures: [{ position: 1, error }],
  },
});

const lackingTheSecond: Ending = (ids) => ({ output: ids.filter((id) => Number.parseInt(id, 10) !== 1).map(answerTo) });
const many = Array.from({ length: 5001 }, (_, index) => `text ${index}`);

export const batches: readonly Case[] = [
  batched("an answer is missing: its line alone is asked again", [lackingTheSecond, whole], {
    returns: { texts: all },
    check: sent([0, 1, 2], [1]),
  }),
  batched("an answer is missing, always: two more batches, and the others are kept", [lackingTheSecond], {
    ...withoutTheSecond({ name: "InvalidResponseError", reason: "truncated", retryable: true }),
    says: /input 1/,
    check: sent([0, 1, 2], [1], [1]),
  }),
  batched(
    "the file holds fewer answers than the service counts: those are kept, and nothing is paid again",
    [(ids) => ({ ...lackingTheSecond(ids), counted: 3 })],
    {
      ...withoutTheSecond({ name: "InvalidResponseError", reason: "truncated", retryable: true }),
      says: /cut off, without an answer to input 1/,
      check: sent([0, 1, 2]),
    },
  ),
  batched(
    "answers in another order, doubled, and to lines that nobody sent",
    [
      (ids) => ({
        output: [ids[2]!, ids[0]!, ids[2]!, ids[1]!, "000001-somebody-elses"].map(answerTo),
        errors: [failed(ids[1]!, 500, "Failed at first.")],
      }),
    ],
    { returns: { texts: all }, check: sent([0, 1, 2]) },
  ),
  batched(
    "a line in the error file that was refused for what it says",
    [(ids) => ({ ...lackingTheSecond(ids), errors: [failed(ids[1]!, 20_015, "The input is not allowed.")] })],
    { ...withoutTheSecond({ name: "BadRequestError" }), says: /not allowed/, check: sent([0, 1, 2]) },
  ),
  batched(
    "a line in the error file for which the service is to blame: it is asked again",
    [(ids) => ({ ...lackingTheSecond(ids), errors: [failed(ids[1]!, 50_508, "System is too busy now.")] }), whole],
    { returns: { texts: all }, check: sent([0, 1, 2], [1]) },
  ),
  batched(
    "the batch expires: what it answered is kept, the rest is asked again",
    [
      (ids) => ({
        status: "expired",
        output: [answerTo(ids[0]!)],
        errors: ids.slice(1).map((id) => failed(id, "batch_expired", "The batch expired.")),
      }),
      whole,
    ],
    { returns: { texts: all }, check: sent([0, 1, 2], [1, 2]) },
  ),
  batched("the batch expires before anything of it was run", [() => ({ status: "expired" }), whole], {
    returns: { texts: all },
    check: sent([0, 1, 2], [0, 1, 2]),
  }),
  batched("the batch fails as a whole", [() => ({ status: "failed", why: "The file cannot be read." })], {
    throws: {
      name: "PartialFailureError",
      failures: [0, 1, 2].map((position) => ({ position, error: { name: "JobFailedError", status: "failed" } })),
    },
    says: /cannot be read/,
    check: sent([0, 1, 2]),
  }),
  batched("the answer to the creation is lost: the batch is found, not made again", [], {
    replies: [serviceOf([whole], { refuses: true })],
    returns: { texts: all },
    check: sent([0, 1, 2]),
  }),
  batched("the 5,001st line goes into a file of its own", [whole], {
    texts: many,
    returns: { texts: many.map((_, index) => `answer ${index}`) },
    check: sent([...many.keys()].slice(0, 5000), [5000]),
    alone: true,
  }),
  {
    row: 61,
    fault: "a conversation that does not end with the user: nothing is sent",
    targets: [],
    elsewhere: {
      file: "test/batch/via-batch.test.ts",
      test: "before anything is sent rejects the call, and names the input",
    },
  },
];
