import { batchEndpoint } from "../batch-line.js";
import { fieldsOf, isFields, type Fields } from "../fields.js";
import { invalid, json, Refusal } from "../reply.js";
import type { Endpoint } from "../router.js";

const hourMs = 60 * 60 * 1000;

/** `POST /batches`. */
export const createBatch: Endpoint = ({ body }, { batches, files, nextId }) => {
  const fields = fieldsOf(body);
  const { input_file_id: inputFile, endpoint, completion_window: window } = fields;
  for (const required of [inputFile, endpoint, window]) if (required === undefined) throw invalid("Field required");
  if (endpoint !== batchEndpoint) throw invalid(`Input should be '${batchEndpoint}'`);
  const hours = typeof window === "string" ? Number(/^(\d{1,3})h$/.exec(window)?.[1] ?? Number.NaN) : Number.NaN;
  if (!(hours >= 24 && hours <= 336)) throw invalid("completion_window should be from 24h to 336h");
  const file = typeof inputFile === "string" ? files.get(inputFile) : undefined;
  if (file?.purpose !== "batch") throw invalid("input_file_id does not exist.");
  const batch = batches.create(`batch_${nextId()}`, {
    file,
    endpoint: batchEndpoint,
    completionWindow: `${hours}h`,
    windowMs: hours * hourMs,
    metadata: metadataOf(fields["metadata"] ?? undefined),
    model: replacedModel(fields),
  });
  return json(batch);
};

/** `GET /batches`: all of them, for there is no paging. */
export const listBatches: Endpoint = async (_, service) => {
  const data = await service.batches.list(service);
  return json({
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: false,
  });
};

/** `GET /batches/{batch_id}`. */
export const getBatch: Endpoint = async ({ params }, service) => {
  const batch = await service.batches.get(params["id"] ?? "", service);
  if (batch === undefined) throw new Refusal(404, "404 page not found");
  return json(batch);
};

/** `POST /batches/{batch_id}/cancel`. */
export const cancelBatch: Endpoint = async ({ params }, service) => {
  const batch = await service.batches.cancel(params["id"] ?? "", service);
  if (batch === undefined) throw new Refusal(404, "404 page not found");
  if (batch === false) throw invalid("The batch has ended and cannot be cancelled.");
  return json(batch);
};

function metadataOf(given: unknown): Record<string, string> | null {
  if (given === undefined) return null;
  if (!isFields(given)) throw invalid("Input should be a valid dictionary");
  const entries = Object.entries(given);
  if (entries.length > 16) throw invalid("metadata takes at most 16 keys.");
  for (const [key, value] of entries) {
    if (typeof value !== "string") throw invalid("Input should be a valid string");
    if (key.length > 64 || value.length > 512) throw invalid("metadata takes keys of 64 and values of 512 characters.");
  }
  return given as Record<string, string>;
}

function replacedModel(fields: Fields): string | undefined {
  const replace = fields["replace"] ?? undefined;
  if (replace === undefined) return undefined;
  const model = isFields(replace) ? replace["model"] : replace;
  if (typeof model !== "string" || model === "") throw invalid("Input should be a valid string");
  return model;
}
