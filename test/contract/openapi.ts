import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

const description = parse(readFileSync(new URL("openapi.yaml", import.meta.url), "utf8")) as {
  paths: Record<string, Record<string, Operation>>;
};

interface Operation {
  parameters?: { name?: string; in?: string; required?: boolean; schema?: { type?: string } }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, Answer>;
}

interface Answer {
  $ref?: string;
  "x-may-be-empty"?: boolean;
  content?: Record<string, { schema?: { contentSchema?: unknown; $ref?: string } }>;
}

/** A request on its way, or as it arrived. */
export interface Sent {
  method: string;
  /** With its query. */
  path: string;
  type: string | undefined;
  /** Bytes as they were sent, or what a server has made of them; undefined when there were none. */
  body: unknown;
}

/** What the emulator tells of an answer. */
export interface Answered {
  request: {
    endpoint: string | undefined;
    method: string;
    path: string;
    headers: Readonly<Record<string, string>>;
    body: unknown;
  };
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array | readonly (string | Uint8Array)[];
  own: boolean;
}

// Formats, discriminators and examples are documentation here; what is checked are names, types and ranges.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(description, "service");

const compiled = new Map<string, ValidateFunction>();

function at(...path: string[]): ValidateFunction {
  const pointer = path.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
  let validate = compiled.get(pointer);
  if (!validate) compiled.set(pointer, (validate = ajv.compile({ $ref: `service#/${pointer}` })));
  return validate;
}

function complaints(validate: ValidateFunction, value: unknown): string[] {
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message, params }) => {
        const more = (params as { additionalProperty?: string }).additionalProperty;
        return `${instancePath || "/"} ${message}${more === undefined ? "" : `: ${more}`}`;
      });
}

/** What is wrong with a request body; empty when it is as described. */
export function wrongInRequest(method: "post" | "get", path: string, body: unknown): string[] {
  return complaints(at("paths", path, method, "requestBody", "content", "application/json", "schema"), body);
}

/** What is wrong with an answer of this status; empty when it is as described. */
export function wrongInAnswer(method: string, path: string, status: number, body: unknown): string[] {
  const found = answerAt(method, path, status);
  if (found === undefined) return [`status ${status} is not described`];
  return complaints(at(...found.pointer, "content", "application/json", "schema"), body);
}

/** What is wrong with a part of the description by name, such as one chunk of a stream. */
export function wrongIn(schema: string, value: unknown): string[] {
  return complaints(at("components", "schemas", schema), value);
}

/** What is wrong with a request: method, path, query and body. */
export async function wrongInSent({ method, path, type, body }: Sent): Promise<string[]> {
  const url = new URL(path, "http://localhost");
  const what = `${method} ${url.pathname}`;
  const found = operationAt(method, url.pathname);
  if (found === undefined) return [`${what} is not described`];
  const { name, operation } = found;
  const wrong = wrongInQuery(operation, url.searchParams);
  const { requestBody } = operation;
  if (requestBody === undefined) {
    if (body !== undefined) wrong.push("takes no body");
    return wrong.map((complaint) => `${what}: ${complaint}`);
  }
  const media = mediaType(type);
  if (!(media in requestBody.content)) {
    wrong.push(`takes no body of the type ${media || "(none)"}`);
  } else {
    const schema = at("paths", name, method.toLowerCase(), "requestBody", "content", media, "schema");
    wrong.push(...complaints(schema, await valueOf(body, type ?? "")));
  }
  return wrong.map((complaint) => `${what}: ${complaint}`);
}

/** What is wrong with an answer: its status, its type, and each of its events or its body. */
export function wrongInAnswered({ request, status, headers, body }: Answered): string[] {
  const { method } = request;
  const { pathname } = new URL(request.path, "http://localhost");
  const what = `${method} ${pathname} answered with ${status}`;
  const operation = operationAt(method, pathname);
  if (operation === undefined) return [`${what}: the endpoint is not described`];
  const found = answerAt(method, operation.name, status);
  if (found === undefined) return [`${what}: the status is not described`];
  const media = mediaType(headers["content-type"]);
  if (found.answer["x-may-be-empty"] && body.length === 0) return [];
  const described = found.answer.content?.[media];
  if (described === undefined) return [`${what}: the type ${media || "(none)"} is not described`];
  const pointer = [...found.pointer, "content", media, "schema"];
  if (media === "application/json") {
    const wrong = complaints(at(...pointer), jsonOrText(textOf(body), status));
    return wrong.map((complaint) => `${what}: ${complaint}`);
  }
  if (media !== "text/event-stream") return [];
  return wrongInEvents(textOf(body), described.schema).map((complaint) => `${what}: ${complaint}`);
}

function wrongInEvents(text: string, schema: { contentSchema?: unknown; $ref?: string } | undefined): string[] {
  const name = schema?.$ref?.split("/").at(-1);
  if (name === undefined) return ["the events of this stream are not described"];
  const validate = at("components", "schemas", name, "contentSchema");
  const wrong: string[] = [];
  for (const event of text.split("\n\n").filter(Boolean)) {
    const data = /^data: (.*)$/m.exec(event)?.[1];
    if (data === undefined) wrong.push(`an event without data: ${event.slice(0, 80)}`);
    else if (data !== "[DONE]") wrong.push(...complaints(validate, JSON.parse(data)));
  }
  return wrong;
}

function wrongInQuery(operation: Operation, query: URLSearchParams): string[] {
  const described = (operation.parameters ?? []).filter((parameter) => parameter.in === "query");
  const wrong = [...query.keys()]
    .filter((name) => !described.some((parameter) => parameter.name === name))
    .map((name) => `the query ${name} is not described`);
  for (const { name = "", required, schema = {} } of described) {
    const given = query.get(name);
    if (given === null && required) wrong.push(`the query ${name} is missing`);
    if (given === null) continue;
    const value = schema.type === "integer" ? Number(given) : given;
    wrong.push(...complaints(ajv.compile(schema), value).map((complaint) => `the query ${name} ${complaint}`));
  }
  return wrong;
}

const patterns = Object.keys(description.paths).map((name) => ({
  name,
  // A base URL may stand below any path.
  pattern: new RegExp(`${name.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
}));

function operationAt(method: string, pathname: string): { name: string; operation: Operation } | undefined {
  const name = patterns.find(({ pattern }) => pattern.test(pathname))?.name;
  const operation = name === undefined ? undefined : description.paths[name]?.[method.toLowerCase()];
  return operation === undefined ? undefined : { name: name!, operation };
}

function answerAt(method: string, name: string, status: number): { answer: Answer; pointer: string[] } | undefined {
  const verb = method.toLowerCase();
  const answer = description.paths[name]?.[verb]?.responses[String(status)];
  if (answer?.$ref === undefined)
    return answer && { answer, pointer: ["paths", name, verb, "responses", String(status)] };
  const pointer = answer.$ref.slice(2).split("/");
  const shared = pointer.reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], description);
  return { answer: shared as Answer, pointer };
}

function mediaType(type: string | undefined): string {
  return (type ?? "").split(";")[0]!.trim().toLowerCase();
}

/** JSON, or the fields of a form with a text in the place of each file. */
async function valueOf(body: unknown, type: string): Promise<unknown> {
  if (!(body instanceof Uint8Array)) return withoutFiles(body);
  if (!type.startsWith("multipart/")) {
    try {
      return JSON.parse(Buffer.from(body).toString());
    } catch {
      return undefined;
    }
  }
  const boundary = /boundary=("?)([^";]+)\1/.exec(type)?.[2] ?? "";
  // The end is missing of one that was too large to be kept.
  const whole = Buffer.concat([body, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  const form = await new Response(whole, { headers: { "content-type": type } }).formData();
  return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === "string" ? value : "(file)"]));
}

function withoutFiles(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const isFile = (value: unknown) => typeof value === "object" && value !== null && "filename" in value;
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, isFile(value) ? "(file)" : value]));
}

/** What is no JSON in a refusal is the text that it should have quoted. */
function jsonOrText(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status < 400) throw error;
    return text;
  }
}

function textOf(body: Answered["body"]): string {
  const pieces = typeof body === "string" || body instanceof Uint8Array ? [body] : body;
  return pieces.map((piece) => (typeof piece === "string" ? piece : Buffer.from(piece).toString())).join("");
}
