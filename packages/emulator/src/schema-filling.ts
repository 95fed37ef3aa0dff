import { isFields, type Fields } from "./fields.js";
import { expressionIn, mentions, phrasesOf, valueAfter } from "./phrases.js";

/** Where values come from. */
export interface SchemaSource {
  /** What the user asked. */
  text: string;
  /** What the model would say in prose. */
  answer: string;
}

// A schema may refer to itself; what lies deeper is left out or empty.
const deepest = 8;

/**
 * A value that fits a JSON Schema, filled with what the text gives: an enum value it mentions, its numbers in order, its
 * quoted words, names and codes. Understands types, enum, const, default, bounds, formats, arrays, objects, references,
 * and the first fitting branch of `anyOf` and `oneOf`; patterns are not solved.
 */
export function fillSchema(schema: Fields, source: SchemaSource): unknown {
  return new Filler(schema, source).value(schema, "", 0);
}

/** The keys that a prompt names when it asks for JSON: those of an example, else quoted words after "keys" or "fields". */
export function keysAskedFor(prompt: string): string[] {
  const example = [...prompt.matchAll(/[{,]\s*["']([A-Za-z_]\w{0,40})["']\s*:/g)].map((match) => match[1]!);
  if (example.length > 0) return [...new Set(example)];
  const listed = /(?:keys?|fields?|properties|property|字段|键)([^.。\n]*)/i.exec(prompt)?.[1] ?? "";
  const keys = [...listed.matchAll(/["'`“]([A-Za-z_]\w{0,40})["'`”]/g)].map((match) => match[1]!);
  return keys.length > 0 ? [...new Set(keys)] : ["answer"];
}

class Filler {
  readonly #root: Fields;
  readonly #source: SchemaSource;
  readonly #numbers: number[];
  readonly #phrases: string[];

  constructor(root: Fields, source: SchemaSource) {
    this.#root = root;
    this.#source = source;
    this.#numbers = (source.text.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
    // The names of the fields are not their values, even when the text quotes them.
    const names = isFields(root["properties"]) ? Object.keys(root["properties"]) : [];
    this.#phrases = phrasesOf(source.text).filter((phrase) => !names.includes(phrase));
  }

  value(given: unknown, name: string, depth: number): unknown {
    const schema = this.#resolved(given, depth);
    if ("const" in schema) return schema["const"];
    if (Array.isArray(schema["enum"])) return this.#choice(schema["enum"]);
    switch (typeOf(schema)) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, name, depth);
      case "number":
      case "integer":
        return this.#number(schema);
      case "boolean":
        return this.#boolean(schema, name);
      case "null":
        return null;
      default:
        return this.#string(schema, name);
    }
  }

  #object(schema: Fields, depth: number): unknown {
    const properties = isFields(schema["properties"]) ? schema["properties"] : {};
    const required = Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : [];
    if (depth >= deepest) return {};
    // What is optional is filled only where the text says something about it.
    const wanted = Object.entries(properties).filter(
      ([name, property]) => required.includes(name) || this.#mentioned(name, property, depth),
    );
    return Object.fromEntries(wanted.map(([name, property]) => [name, this.value(property, name, depth + 1)]));
  }

  #mentioned(name: string, property: unknown, depth: number): boolean {
    const schema = this.#resolved(property, depth);
    if (Array.isArray(schema["enum"])) return schema["enum"].some((option) => mentions(this.#source.text, option));
    return valueAfter(name, this.#source.text) !== undefined;
  }

  #array(schema: Fields, name: string, depth: number): unknown[] {
    const least = typeof schema["minItems"] === "number" ? schema["minItems"] : 1;
    const most = typeof schema["maxItems"] === "number" ? schema["maxItems"] : Infinity;
    if (depth >= deepest) return [];
    const items = this.#resolved(schema["items"] ?? {}, depth);
    const options = Array.isArray(items["enum"]) ? items["enum"] : [];
    const mentioned = options.filter((option) => mentions(this.#source.text, option));
    let found: unknown[] = mentioned;
    if (options.length === 0 && ["number", "integer"].includes(typeOf(items))) found = this.#numbers.splice(0);
    if (options.length === 0 && typeOf(items) === "string") found = this.#phrases.slice(0, 8);
    while (found.length < least) found.push(this.value(items, name, depth + 1));
    return found.slice(0, most);
  }

  #choice(options: unknown[]): unknown {
    return options.find((option) => mentions(this.#source.text, option)) ?? options[0];
  }

  #number(schema: Fields): number {
    const fallback = typeof schema["default"] === "number" ? schema["default"] : 1;
    let number = this.#numbers.shift() ?? fallback;
    const bound = (name: string) => (typeof schema[name] === "number" ? schema[name] : undefined);
    const step = typeOf(schema) === "integer" ? 1 : 1e-6;
    const exclusiveLeast = bound("exclusiveMinimum");
    const exclusiveMost = bound("exclusiveMaximum");
    number = Math.max(
      number,
      bound("minimum") ?? -Infinity,
      exclusiveLeast === undefined ? -Infinity : exclusiveLeast + step,
    );
    number = Math.min(
      number,
      bound("maximum") ?? Infinity,
      exclusiveMost === undefined ? Infinity : exclusiveMost - step,
    );
    return typeOf(schema) === "integer" ? Math.round(number) : number;
  }

  #boolean(schema: Fields, name: string): boolean {
    const said = valueAfter(name, this.#source.text)?.toLowerCase();
    if (said === "true" || said === "yes" || said === "false" || said === "no")
      return said === "true" || said === "yes";
    return typeof schema["default"] === "boolean" ? schema["default"] : mentions(this.#source.text, name);
  }

  #string(schema: Fields, name: string): string {
    const { text, answer } = this.#source;
    const formatted = formats[String(schema["format"])]?.(text);
    if (formatted !== undefined) return formatted;
    let value: string;
    if (/^(?:answer|content|summary|explanation|response|result|text_answer|reasoning|setup|punchline)$/i.test(name))
      value = answer;
    else if (/^(?:q|query|question|input|prompt|text|message|search|keywords?|__arg1)$/i.test(name)) value = text;
    else if (/^(?:age|year|count|amount|price|number|quantity|total)$/i.test(name) && this.#numbers.length > 0)
      value = String(this.#numbers.shift());
    else if (/expression|formula|equation/i.test(name)) value = expressionIn(text) ?? text;
    else
      value =
        valueAfter(name, text) ??
        this.#phrases.shift() ??
        (typeof schema["default"] === "string" ? schema["default"] : text);
    const least = typeof schema["minLength"] === "number" ? schema["minLength"] : 0;
    const most = typeof schema["maxLength"] === "number" ? schema["maxLength"] : Infinity;
    return value.padEnd(least, ".").slice(0, most);
  }

  /** A schema with references followed, branches chosen and `allOf` merged. */
  #resolved(given: unknown, depth: number): Fields {
    if (!isFields(given)) return {};
    let schema = given;
    for (let hop = 0; hop < deepest && typeof schema["$ref"] === "string"; hop++) {
      const target = pointerTarget(this.#root, schema["$ref"]);
      if (!isFields(target)) break;
      schema = target;
    }
    const branches = schema["anyOf"] ?? schema["oneOf"];
    if (Array.isArray(branches) && depth <= deepest) {
      const branch = branches.find((option) => typeOf(this.#resolved(option, depth + 1)) !== "null");
      schema = { ...schema, anyOf: undefined, oneOf: undefined, ...this.#resolved(branch, depth + 1) };
    }
    if (Array.isArray(schema["allOf"]) && depth <= deepest) {
      const parts = schema["allOf"].map((part) => this.#resolved(part, depth + 1));
      const properties = Object.assign({}, schema["properties"], ...parts.map((part) => part["properties"])) as unknown;
      const required = [schema, ...parts].flatMap((part) => (Array.isArray(part["required"]) ? part["required"] : []));
      schema = Object.assign({}, ...parts, schema, { allOf: undefined, properties, required }) as Fields;
    }
    return schema;
  }
}

function typeOf(schema: Fields): string {
  const { type } = schema;
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return String(type.find((option) => option !== "null") ?? "null");
  if (schema["properties"]) return "object";
  return schema["items"] ? "array" : "string";
}

function pointerTarget(root: Fields, reference: string): unknown {
  if (!reference.startsWith("#")) return undefined;
  const steps = reference.slice(1).split("/").slice(1);
  return steps.reduce<unknown>((value, step) => {
    const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    return isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, root);
}

const formats: Record<string, (text: string) => string> = {
  date: (text) => /\d{4}-\d{2}-\d{2}/.exec(text)?.[0] ?? "2026-01-01",
  "date-time": (text) => /\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d\d:\d\d)/.exec(text)?.[0] ?? "2026-01-01T00:00:00Z",
  time: (text) => /\d{2}:\d{2}:\d{2}/.exec(text)?.[0] ?? "00:00:00Z",
  email: (text) => /[\w.+-]+@[\w-]+\.[\w.]+\w/.exec(text)?.[0] ?? "someone@example.com",
  uri: (text) => /https?:\/\/[^\s"'<>，。]+/.exec(text)?.[0] ?? "https://example.com/",
  url: (text) => /https?:\/\/[^\s"'<>，。]+/.exec(text)?.[0] ?? "https://example.com/",
  uuid: () => "00000000-0000-4000-8000-000000000000",
};
