/**
 * A second reader of answers, to judge the first by: slow, plain, and without a line of the packages' code.
 * Written from the event stream standard (https://html.spec.whatwg.org/multipage/server-sent-events.html) and from what is
 * known of the service's wire.
 *
 * What a reader can see of damage:
 * - The answer says why it ended (`finish_reason`, `stop_reason`, `message_stop`): without it the end is missing. So it is
 *   for each choice that began.
 * - An event is JSON of the documented shape: what does not parse, or holds another type in a field of the answer, is damaged.
 *   Missing, `null` and `""` are one and the same. A choice that was not asked for is damage too.
 * - The service says so: an error as an event, as a bare line, or beside the answer.
 * - A line that is no field of an event stream and holds a brace, a quote or a tag at its start: an event whose name was
 *   damaged, JSON, or a page. Before the first event, a line without a colon as well. Other unknown fields are ignored, as
 *   the standard has it.
 * - Blocks of a message begin once, grow while they are open and none of their kind has begun after them, and stay what they are.
 *
 * What it cannot see, and so takes as it comes: letters changed inside a JSON string (bytes that are no UTF-8 become U+FFFD),
 * events that are missing, twice or elsewhere while all that remains makes sense, a line turned into a comment, and whatever
 * follows `[DONE]` or `message_stop`. Nor does it care for what is not the answer but about it: ids, dates, counts of tokens.
 * What of these cannot be read is left out.
 */

type Json = Record<string, unknown>;

/** What was asked for, as far as it decides how the answer is read. */
export interface Asked {
  endpoint: "chat" | "messages" | "completions";
  /** Answers asked for in one request. */
  choices: number;
}

export interface ReadCall {
  id: string;
  name: string;
  /** As text, however it came. */
  args: string;
}

export interface ReadChoice {
  index: number;
  text: string;
  reasoning: string;
  calls: ReadCall[];
  finish: string | null;
  logprobs: unknown[];
}

export type Verdict =
  /** `chunks`: the payloads of the events, where the answer is a stream. */
  { complete: true; chunks: Json[]; choices: ReadChoice[]; usage: Json | undefined } | { complete: false; why: string };

class Damage extends Error {}

/** The body of an answer, whichever form it took: a stream, or one JSON text. */
export function judge(bytes: Uint8Array, asked: Asked): Verdict {
  try {
    const text = new TextDecoder().decode(bytes);
    const whole = parse(text);
    if (whole !== undefined) return { complete: true, chunks: [], ...readWhole(whole, asked) };
    const { payloads, strays } = readEvents(text, asked);
    if (strays.length > 0) {
      // From the first line that is no field, all is one text.
      return { complete: true, chunks: [], ...readWhole(parse(strays.join("\n")), asked) };
    }
    const chunks = payloads
      .map(({ payload, type }) => readChunk(parse(payload), type, asked))
      .filter((chunk) => chunk !== undefined);
    return { complete: true, chunks, ...join(chunks, asked) };
  } catch (error) {
    if (error instanceof Damage) return { complete: false, why: error.message };
    throw error;
  }
}

/** An answer in one piece, parsed already. */
export function judgeWhole(value: unknown, asked: Asked): Verdict {
  try {
    return { complete: true, chunks: [], ...readWhole(value, asked) };
  } catch (error) {
    if (error instanceof Damage) return { complete: false, why: error.message };
    throw error;
  }
}

// From text to events.

type Event = { payload: string; type: string };

function readEvents(text: string, asked: Asked): { payloads: Event[]; strays: string[] } {
  const payloads: Event[] = [];
  const strays: string[] = [];
  /** Unknown fields before the first event. */
  const skipped: string[] = [];
  let data: string[] = [];
  let type = "";
  // The last event may lack its blank line: whether it is whole is then for its own content to say.
  for (const line of [...text.split(/\r\n|\n|\r/), ""]) {
    if (line === "" && strays.length === 0) {
      const event = { payload: data.join("\n"), type };
      data = [];
      type = "";
      if (event.payload === "" || event.type === "ping") continue;
      payloads.push(event);
      if (isLast(event, asked)) break;
      continue;
    }
    if (strays.length > 0) {
      strays.push(line);
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    // By the standard, `message` is what an event without a name is called.
    else if (field === "event") type = value === "message" ? "" : value;
    else if (field === "" || field === "id" || field === "retry") continue;
    else if (line.includes("{") || /^["<]/.test(line) || (payloads.length === 0 && colon === -1)) {
      if (payloads.length > 0 || data.join("\n") !== "") throw new Damage("a stray line");
      strays.push(...skipped, line);
    } else if (payloads.length === 0) skipped.push(line);
  }
  if (payloads.at(-1)?.payload === "[DONE]" && strays.length === 0) payloads.pop();
  return { payloads, strays };
}

/** What follows it is no part of the answer. */
function isLast({ payload, type }: Event, { endpoint }: Asked): boolean {
  if (payload === "[DONE]") return true;
  const value = parse(payload);
  return endpoint === "messages" && isObject(value) && (value["type"] || type) === "message_stop";
}

function readChunk(value: unknown, name: string, asked: Asked): Json | undefined {
  if (name === "error") throw new Damage("an error event");
  if (!isObject(value)) throw new Damage("an event that is no JSON object");
  if (isError(value)) throw new Damage("an error in place of a chunk");
  if (asked.endpoint !== "messages") {
    if (isAbsent(value["choices"]) && isObject(value["usage"])) return { ...value, choices: [] };
    checkChoices(value["choices"], asked, "delta");
    return value;
  }
  const type = isAbsent(value["type"]) ? name : value["type"];
  if (typeof type !== "string" || type === "" || type === "error") throw new Damage("an event without a type");
  if (type === "ping") return undefined;
  checkIndex(value["index"], Infinity);
  const { message, content_block, delta } = value;
  if (!isAbsent(message)) {
    if (!isObject(message)) throw new Damage("a message that is none");
    if (isError(message)) throw new Damage("an error in place of a message");
    if (!isAbsent(message["stop_reason"])) throw new Damage("a message that begins with its end");
    if (!isAbsent(message["content"]) && !(Array.isArray(message["content"]) && message["content"].length === 0))
      throw new Damage("a message that begins with content");
  }
  if (!isAbsent(content_block)) checkBlock(content_block);
  if (!isAbsent(delta)) {
    if (!isObject(delta)) throw new Damage("a delta that is none");
    checkTexts(delta, "text", "thinking", "signature", "partial_json");
    checkStop(delta);
  }
  return { ...value, type };
}

// The shapes.

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isError({ error, code, message }: Json): boolean {
  if (isObject(error) || Array.isArray(error) || (typeof error === "string" && error !== "")) return true;
  return typeof message === "string" && ["number", "string"].includes(typeof code) && Number(code) !== 20_000;
}

function checkTexts(value: Json, ...fields: string[]): void {
  for (const field of fields) {
    if (!isAbsent(value[field]) && typeof value[field] !== "string") throw new Damage(`${field} is no text`);
  }
}

function checkIndex(index: unknown, end: number): void {
  if (isAbsent(index)) return;
  if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) >= end)
    throw new Damage("a bad index");
}

function checkChoices(choices: unknown, asked: Asked, holder: "delta" | "message"): void {
  if (!Array.isArray(choices)) throw new Damage("no list of choices");
  const indexes = (choices as unknown[]).map((choice, position) => {
    const index = isObject(choice) ? choice["index"] : undefined;
    return isAbsent(index) ? (holder === "delta" ? 0 : position) : index;
  });
  if (new Set(indexes).size < choices.length || choices.length > asked.choices) throw new Damage("too many choices");
  for (const choice of choices as unknown[]) {
    if (!isObject(choice)) throw new Damage("a choice that is none");
    checkIndex(choice["index"], asked.choices);
    checkTexts(choice, "finish_reason");
    // An answer in one piece inside an event: there is no telling what it would be a piece of.
    if (asked.endpoint === "chat" && holder === "delta" && isObject(choice["message"]))
      throw new Damage("a whole message in a chunk");
    const logprobs = choice["logprobs"];
    if (!isAbsent(logprobs)) {
      if (!isObject(logprobs)) throw new Damage("logprobs that are none");
      if (!isAbsent(logprobs["content"]) && !Array.isArray(logprobs["content"]))
        throw new Damage("logprobs in no list");
    }
    if (asked.endpoint === "completions") {
      checkTexts(choice, "text");
      continue;
    }
    const said = choice[holder];
    if (isAbsent(said)) continue;
    if (!isObject(said)) throw new Damage(`a ${holder} that is none`);
    checkTexts(said, "reasoning_content");
    if (!Array.isArray(said["content"])) checkTexts(said, "content");
    else if (!said["content"].every((part) => isObject(part) && typeof part["text"] === "string"))
      throw new Damage("a part that is no text");
    checkCalls(said["tool_calls"]);
  }
}

function checkCalls(calls: unknown): void {
  if (isAbsent(calls)) return;
  if (!Array.isArray(calls)) throw new Damage("no list of calls");
  for (const call of calls as unknown[]) {
    if (!isObject(call)) throw new Damage("a call that is none");
    checkIndex(call["index"], Infinity);
    checkTexts(call, "id");
    const called = call["function"];
    if (isAbsent(called)) continue;
    if (!isObject(called)) throw new Damage("a function that is none");
    checkTexts(called, "name");
    const args = called["arguments"];
    // Some hosts have parsed them already.
    if (!isAbsent(args) && typeof args !== "string" && typeof args !== "object") throw new Damage("no arguments");
    checkDepth(args);
  }
}

/** What is nested more than 1,000 levels deep nobody can write down again. */
function checkDepth(value: unknown): void {
  const open = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.depth > 1000) throw new Damage("nested without end");
    for (const inner of Object.values(next.value)) open.push({ value: inner, depth: next.depth + 1 });
  }
}

function checkStop(value: Json): void {
  checkTexts(value, "stop_reason", "stop_sequence");
}

function checkBlock(block: unknown): void {
  if (!isObject(block)) throw new Damage("a block that is none");
  if (typeof block["type"] !== "string") throw new Damage("a block without a type");
  checkTexts(block, "text", "thinking", "signature", "id", "name");
  checkDepth(block["input"]);
  const kind = kindOf(block);
  if ((block["text"] && kind !== "text") || (block["thinking"] && kind !== "thinking"))
    throw new Damage(`a block of ${kind} that says something else`);
}

/** Blocks of a new type are what they say. */
function kindOf({ type, thinking }: Json): string {
  if (type === "text" || type === "thinking" || type === "tool_use") return type;
  return thinking ? "thinking" : "text";
}

// From chunks to the answer.

/** The answer that these chunks make. @throws Error when they make none */
export function join(chunks: Json[], asked: Asked): Joined {
  return asked.endpoint === "messages" ? joinBlocks(chunks) : joinChoices(chunks, asked);
}

type Joined = { choices: ReadChoice[]; usage: Json | undefined };

function joinChoices(chunks: Json[], { endpoint }: Asked): Joined {
  const choices = new Map<number, ReadChoice>();
  let usage: Json | undefined;
  for (const chunk of chunks) {
    if (isObject(chunk["usage"])) usage = chunk["usage"];
    for (const piece of chunk["choices"] as Json[]) {
      const index = (piece["index"] || 0) as number;
      const choice = choices.get(index) ?? { index, text: "", reasoning: "", calls: [], finish: null, logprobs: [] };
      choices.set(index, choice);
      take(choice, piece, endpoint === "chat" ? ((piece["delta"] || {}) as Json) : { content: piece["text"] });
    }
  }
  if (choices.size === 0) throw new Damage("nothing was said");
  for (const { index, finish } of choices.values()) {
    if (finish === null) throw new Damage(`choice ${index} has no finish_reason`);
  }
  return { choices: [...choices.values()].toSorted((one, other) => one.index - other.index), usage };
}

function take(choice: ReadChoice, piece: Json, said: Json): void {
  choice.text += textOf(said["content"]);
  choice.reasoning += textOf(said["reasoning_content"]);
  if (!isAbsent(piece["finish_reason"])) choice.finish = piece["finish_reason"] as string;
  const logprobs = piece["logprobs"];
  if (isObject(logprobs) && Array.isArray(logprobs["content"]))
    choice.logprobs.push(...(logprobs["content"] as unknown[]));
  for (const fragment of (said["tool_calls"] || []) as Json[]) takeFragment(choice.calls, fragment);
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part: Json) => part["text"] as string).join("") : "";
}

const positions = new WeakMap<ReadCall, unknown>();
/** Where a call stands: at its index; where it has none, or another's, behind all before it. */
const places = new WeakMap<ReadCall, number>();
const latest = new WeakMap<ReadCall[], ReadCall>();

/** The call that was spoken of last: the one that a limit of tokens may have cut. */
export function latestOf(calls: ReadCall[]): ReadCall | undefined {
  return latest.get(calls) ?? calls.at(-1);
}

/** Fragments belong together by index; by id, or to the call spoken of last, where there is none. Another id or name is another call. */
function takeFragment(calls: ReadCall[], fragment: Json): void {
  const called = (fragment["function"] || {}) as Json;
  const index = isAbsent(fragment["index"]) ? undefined : fragment["index"];
  const id = (fragment["id"] || "") as string;
  const name = (called["name"] || "") as string;
  const args = called["arguments"] || "";

  const sameId = id === "" ? undefined : calls.find((call) => call.id === id);
  const sameIndex = calls.findLast((call) => positions.get(call) === index);
  let call = index === undefined ? (sameId ?? latestOf(calls)) : (sameIndex ?? (name === "" ? sameId : undefined));
  if (call !== undefined && isAnother(call, id, name)) call = undefined;
  if (call === undefined) {
    call = { id: "", name: "", args: "" };
    positions.set(call, index);
    const taken = calls.map((other) => places.get(other)!);
    const free = typeof index === "number" && index < 1000 && !taken.includes(index);
    places.set(call, free ? index : Math.max(-1, ...taken) + 1);
    calls.push(call);
    calls.sort((one, other) => places.get(one)! - places.get(other)!);
  }
  latest.set(calls, call);
  call.id ||= id;
  call.name ||= name;
  call.args += typeof args === "string" ? args : JSON.stringify(args);
}

function isAnother(call: ReadCall, id: string, name: string): boolean {
  if (id !== "" && call.id !== "" && id !== call.id) return true;
  if (name !== "" && call.name !== "" && name !== call.name) return true;
  // The name again, and nothing to tell by: a repetition, unless the call is complete.
  const again = name !== "" && call.name !== "" && (id === "" || call.id === "");
  return again && isObject(parse(call.args));
}

interface Block {
  kind: string;
  open: boolean;
  /** Whether it began with arguments. */
  begun: boolean;
  text: string;
  call: ReadCall | undefined;
}

function joinBlocks(events: Json[]): Joined {
  const blocks = new Map<number, Block>();
  let usage: Json | undefined;
  let begun = false;
  let ended = false;
  let finish: string | null = null;
  for (const event of events) {
    const { type, message, content_block, delta } = event as { type: string } & { [field: string]: Json | undefined };
    const index = (event["index"] || 0) as number;
    if (message) {
      if (begun) throw new Damage("a message begins in the middle of another");
      begun = true;
    }
    for (const counts of [message?.["usage"], event["usage"]]) if (isObject(counts)) usage = { ...usage, ...counts };
    finish = ((delta?.["stop_reason"] || finish) ?? null) as string | null;
    if (content_block) {
      if (blocks.has(index)) throw new Damage("a block begins twice");
      blocks.set(index, blockFrom(content_block));
    }
    if (delta) grow(blocks, index, delta);
    if (type === "content_block_stop" && blocks.has(index)) blocks.get(index)!.open = false;
    if (type === "message_stop") ended = true;
  }
  if (!begun) throw new Damage("the message never began");
  if (finish === null && !ended) throw new Damage("no stop_reason");
  return { choices: [joined([...blocks.values()], finish)], usage };
}

function blockFrom(block: Json): Block {
  const { text, thinking, id, name, input } = block;
  const call = { id: (id || "") as string, name: (name || "") as string, args: inputText(input) };
  return {
    kind: kindOf(block),
    open: true,
    text: ((text || thinking) ?? "") as string,
    begun: call.args !== "",
    call: kindOf(block) === "tool_use" ? call : undefined,
  };
}

/** In one piece, `{}` is what is meant: nothing is still to come. */
function wholeBlock(block: Json): Block {
  const read = blockFrom(block);
  if (read.call !== undefined && read.call.args === "" && isObject(block["input"])) read.call.args = "{}";
  return read;
}

/** Nothing, `{}` and `""` are the same: arguments that are still to come, or none. */
function inputText(input: unknown): string {
  if (isAbsent(input) || (isObject(input) && Object.keys(input).length === 0)) return "";
  return typeof input === "string" ? input : JSON.stringify(input);
}

function grow(blocks: Map<number, Block>, index: number, delta: Json): void {
  const fields = { text: "text", thinking: "thinking", signature: "thinking", partial_json: "tool_use" };
  for (const [field, kind] of Object.entries(fields)) {
    const piece = delta[field];
    if (typeof piece !== "string") continue;
    let block = blocks.get(index);
    if (block === undefined) blocks.set(index, (block = blockFrom({ type: kind })));
    if (block.kind !== kind) throw new Damage(`${field} for a block of ${block.kind}`);
    if (!block.open) throw new Damage("a block grows after its end");
    if ([...blocks.values()].findLast((other) => other.kind === kind) !== block)
      throw new Damage("a block grows after the next one began");
    if (field === "signature") continue;
    if (block.call === undefined) block.text += piece;
    else if (block.begun && piece !== "") throw new Damage("arguments come twice");
    else block.call.args += piece;
  }
}

function joined(blocks: Block[], finish: string | null): ReadChoice {
  const textOfKind = (kind: string): string => blocks.map((block) => (block.kind === kind ? block.text : "")).join("");
  const calls = blocks.flatMap(({ call }) => call ?? []);
  return { index: 0, text: textOfKind("text"), reasoning: textOfKind("thinking"), calls, finish, logprobs: [] };
}

// An answer in one piece.

function readWhole(value: unknown, asked: Asked): Joined {
  if (!isObject(value)) throw new Damage("JSON that is no object");
  if (isError(value)) throw new Damage("an error in place of an answer");
  const usage = isObject(value["usage"]) ? value["usage"] : undefined;
  if (asked.endpoint === "messages") {
    const { type, content, stop_reason } = value;
    if (type === "error" || !Array.isArray(content)) throw new Damage("no message");
    for (const block of content) checkBlock(block);
    checkStop(value);
    return { choices: [joined((content as Json[]).map(wholeBlock), (stop_reason || null) as string | null)], usage };
  }
  const { choices } = value;
  checkChoices(choices, asked, "message");
  const list = choices as Json[];
  if (list.length === 0) throw new Damage("no choices");
  const answers = list.map((piece, position) => {
    const index = isAbsent(piece["index"]) ? position : (piece["index"] as number);
    if (asked.endpoint === "chat" ? !isObject(piece["message"]) : typeof piece["text"] !== "string")
      throw new Damage("a choice that says nothing");
    const choice: ReadChoice = { index, text: "", reasoning: "", calls: [], finish: null, logprobs: [] };
    const { tool_calls, ...said } = asked.endpoint === "chat" ? (piece["message"] as Json) : { content: piece["text"] };
    take(choice, piece, said);
    // Each stands for itself here: nothing comes in pieces.
    for (const call of (tool_calls || []) as Json[]) choice.calls.push(wholeCall(call));
    return choice;
  });
  return { choices: answers, usage };
}

function wholeCall(call: Json): ReadCall {
  const calls: ReadCall[] = [];
  takeFragment(calls, call);
  return calls[0]!;
}
