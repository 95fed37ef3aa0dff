import type { HostedModel, ModelKind } from "./catalog.js";
import { invalid, Refusal } from "./reply.js";

/** A JSON object whose fields are not known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The body as an object. @throws {@link Refusal} 400 for any other JSON. */
export function fieldsOf(body: unknown): Fields {
  if (!isFields(body)) throw invalid("Input should be a valid dictionary or object to extract fields from");
  return body;
}

/** The hosted model that a request names. @throws {@link Refusal} 400 (20015 missing, 20012 unknown) or 403 (30003 retired). */
export function modelOf(
  fields: Fields,
  kind: ModelKind | readonly ModelKind[],
  models: ReadonlyMap<string, HostedModel>,
): HostedModel {
  const id = fields["model"];
  if (id === undefined) throw invalid("Field required");
  if (typeof id !== "string" || id === "") throw invalid();
  const model = models.get(id);
  if (!model || ![kind].flat().includes(model.kind)) {
    throw new Refusal(400, { code: 20012, message: "Model does not exist. Please check it carefully.", data: null });
  }
  if (model.retired) throw new Refusal(403, { code: 30003, message: "Model disabled.", data: null });
  return model;
}

/** A text of 1 to `longest` characters. @throws {@link Refusal} when it is missing, or none */
export function requiredText(fields: Fields, name: string, longest = Infinity): string {
  const value = fields[name];
  if (value === undefined) throw invalid("Field required");
  if (typeof value !== "string") throw invalid("Input should be a valid string");
  if (value === "") throw invalid("String should have at least 1 character");
  if (value.length > longest) throw invalid(`String should have at most ${longest} characters`);
  return value;
}

/** A text of at least `least` characters, 0 or 1; undefined when it is absent or null. */
export function optionalText(fields: Fields, name: string, least: 0 | 1 = 1): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw invalid("Input should be a valid string");
  if (value.length < least) throw invalid("String should have at least 1 character");
  return value;
}

/** A boolean field; undefined when it is absent or null. */
export function optionalBoolean(fields: Fields, name: string): boolean | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw invalid("Input should be a valid boolean");
}

/** A number within bounds, both included; undefined when it is absent or null. */
export function optionalNumber(
  fields: Fields,
  name: string,
  least: number,
  most = Infinity,
  kind: "number" | "integer" = "number",
): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number" || (kind === "integer" && !Number.isInteger(value))) {
    throw invalid(`Input should be a valid ${kind}`);
  }
  if (value < least) throw invalid(`Input should be greater than or equal to ${least}`);
  if (value > most) throw invalid(`Input should be less than or equal to ${most}`);
  return value;
}

/** A whole number within bounds, both included; undefined when it is absent or null. */
export function optionalInteger(fields: Fields, name: string, least: number, most = Infinity): number | undefined {
  return optionalNumber(fields, name, least, most, "integer");
}

/** The sentence that names the values a field takes. */
export function oneOf(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return `Input should be ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}
