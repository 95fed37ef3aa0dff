import type { StoredFile } from "../files.js";
import { fieldsOf } from "../fields.js";
import { UploadedFile } from "../form.js";
import { invalid, json, Refusal } from "../reply.js";
import type { Endpoint } from "../router.js";

const mostBytes = 1024 * 1024 * 1024;

/** `POST /files`: keeps the input of a batch. */
export const uploadFile: Endpoint = ({ body }, { files, nextId, settings }) => {
  const { purpose, file } = fieldsOf(body);
  if (purpose === undefined || file === undefined) throw invalid("Field required");
  if (purpose !== "batch") throw invalid("Input should be 'batch'");
  if (!(file instanceof UploadedFile)) throw invalid("Input should be a valid file");
  if (!file.filename.endsWith(".jsonl")) throw invalid("Only .jsonl files are supported.");
  if (file.bytes.length > mostBytes) throw new Refusal(413, "Request Entity Too Large");
  const kept = files.add(`file-${nextId()}`, file.filename, purpose, file.bytes);
  // The upload says createdAt, the list created_at: the documents have it so.
  return wrapped({ ...common(kept), [settings.quirks.uploadDate]: kept.createdAt });
};

/** `GET /files`, newest first. */
export const listFiles: Endpoint = ({ query }, { files }) => {
  const purpose = query.get("purpose");
  if (purpose === null) throw invalid("Field required");
  if (purpose !== "batch") throw invalid("Input should be 'batch'");
  const limit = query.get("limit") ?? "10";
  if (!/^\d+$/.test(limit)) throw invalid("Input should be a valid integer");
  if (Number(limit) < 1) throw invalid("Input should be greater than or equal to 1");
  const newest = files.list(purpose).reverse().slice(0, Number(limit));
  const data = newest.map((file) => ({ ...common(file), created_at: file.createdAt, line_count: file.lineCount }));
  return wrapped({ data, object: "file" });
};

/**
 * `GET /files/{id}/content`: in no document of the service. It is where OpenAI keeps a file's content, and answers here
 * only when results have ids instead of links.
 */
export const fileContent: Endpoint = ({ params }, { files, settings }) => {
  const file = settings.quirks.batchOutput === "id" ? files.get(params["id"] ?? "") : undefined;
  if (file === undefined) throw new Refusal(404, "404 page not found");
  return { status: 200, headers: { "content-type": "application/octet-stream" }, body: file.bytes };
};

function common({ id, bytes, filename, purpose }: StoredFile): object {
  return { id, object: "file", bytes: bytes.length, filename, purpose };
}

function wrapped(data: unknown): ReturnType<typeof json> {
  return json({ code: 20000, message: "Ok", status: true, data });
}
