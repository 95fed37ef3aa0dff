import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

const description = parse(readFileSync(new URL("openapi.yaml", import.meta.url), "utf8")) as {
  paths: Record<string, Record<string, Operation>>;
};

interface Operation {
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { $ref?: string }>;
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
  return validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message}`);
}

/** What is wrong with a request body; empty when it is as described. */
export function wrongInRequest(method: "post" | "get", path: string, body: unknown): string[] {
  return complaints(at("paths", path, method, "requestBody", "content", "application/json", "schema"), body);
}

/** What is wrong with an answer of this status; empty when it is as described. */
export function wrongInAnswer(method: "post" | "get", path: string, status: number, body: unknown): string[] {
  const answer = description.paths[path]?.[method]?.responses[String(status)];
  if (!answer) return [`status ${status} is not described`];
  const pointer = answer.$ref ? answer.$ref.slice(2).split("/") : ["paths", path, method, "responses", String(status)];
  return complaints(at(...pointer, "content", "application/json", "schema"), body);
}

/** What is wrong with a part of the description by name, such as one chunk of a stream. */
export function wrongIn(schema: string, value: unknown): string[] {
  return complaints(at("components", "schemas", schema), value);
}
