import { chat } from "./endpoints/chat.js";
import { isFields, type Fields } from "./fields.js";
import { RateLimits } from "./limits.js";
import { invalid, Refusal, type Reply } from "./reply.js";
import type { Service } from "./router.js";
import { isWireAnswer, type Script } from "./script.js";

/** The only endpoint that batches run. */
export const batchEndpoint = "/v1/chat/completions";

/** One line of a batch's output or error file. */
export interface BatchAnswer {
  id: string;
  custom_id: string | null;
  response: { status_code: number; request_id: string; body: unknown } | null;
  error: { code: string; message: string } | null;
}

/** A line of an input file: an object, or the error of something else. */
export function readLine(bytes: Uint8Array): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The name by which a line's answer is found; undefined for none. */
export function customIdOf(line: Fields | undefined): string | undefined {
  const id = line?.["custom_id"];
  return typeof id === "string" && id !== "" ? id : undefined;
}

/** Asks the chat model what a line says, apart from the limits of online requests. */
export async function runLine(
  line: Fields | undefined,
  model: string | undefined,
  script: Script,
  service: Service,
): Promise<BatchAnswer & { model: string | undefined }> {
  const answer = { id: `batch_req_${service.nextId()}`, custom_id: customIdOf(line) ?? null };
  let asked: string | undefined;
  let reply: Reply;
  try {
    const body = bodyOf(line, model);
    asked = typeof body["model"] === "string" ? body["model"] : undefined;
    reply = await answerTo(body, script, service);
  } catch (error) {
    // What is no refusal is a defect of a script or of the emulator; it goes up to whoever looks at the batch.
    if (!(error instanceof Refusal)) throw error;
    reply = error.reply;
  }
  const said: unknown = JSON.parse(reply.body as string);
  if (reply.status === 200 || service.settings.quirks.batchErrors === "response") {
    const response = { status_code: reply.status, request_id: service.nextId(), body: said };
    return { ...answer, response, error: null, model: asked };
  }
  return { ...answer, response: null, error: errorOf(reply.status, said), model: asked };
}

/** What stands in the error file for a line whose time was over. */
export function expiredLine(line: Fields | undefined, service: Service): BatchAnswer {
  return {
    id: `batch_req_${service.nextId()}`,
    custom_id: customIdOf(line) ?? null,
    response: null,
    error: {
      code: "batch_expired",
      message: "This request could not be executed before the completion window expired.",
    },
  };
}

/** The request of a line, checked as far as batches ask for more than chat does. */
function bodyOf(line: Fields | undefined, model: string | undefined): Fields {
  if (line === undefined) throw invalid("The line is not a JSON object.");
  if (line["method"] !== "POST") throw invalid("Input should be 'POST'");
  if (line["url"] !== batchEndpoint) throw invalid(`Input should be '${batchEndpoint}'`);
  const body = line["body"];
  if (!isFields(body)) throw invalid("Field required");
  const messages: unknown[] = Array.isArray(body["messages"]) ? body["messages"] : [];
  for (const message of messages) {
    if (isFields(message) && message["role"] === "tool")
      throw invalid("Input should be 'system', 'user' or 'assistant'");
  }
  const last = messages.at(-1);
  if (isFields(last) && last["role"] !== "user") throw invalid("The last message must be of the role 'user'.");
  // Nothing can be streamed into a file.
  return { ...body, stream: false, ...(model !== undefined && { model }) };
}

async function answerTo(body: Fields, script: Script, service: Service): Promise<Reply> {
  const scripted = await script.next({ endpoint: "chat", method: "POST", path: batchEndpoint, headers: {}, body });
  if (scripted && isWireAnswer(scripted)) {
    return { status: scripted.status ?? 200, headers: {}, body: JSON.stringify(scripted.body ?? null) };
  }
  const call = {
    body,
    query: new URLSearchParams(),
    params: {},
    scripted: scripted && "chunks" in scripted ? undefined : scripted,
  };
  return chat(call, { ...service, limits: new RateLimits({}, service.clock) });
}

function errorOf(status: number, body: unknown): { code: string; message: string } {
  const fields = isFields(body) ? body : {};
  const message = typeof body === "string" ? body : fields["message"];
  return { code: String(fields["code"] ?? status), message: String(message ?? `Status ${status}`) };
}
