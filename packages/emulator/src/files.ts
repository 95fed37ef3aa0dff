import type { Clock } from "./clock.js";

/** A file that was uploaded. */
export interface StoredFile {
  id: string;
  filename: string;
  purpose: string;
  /** Unix seconds, by the emulator's clock. */
  createdAt: number;
  bytes: Uint8Array;
  lineCount: number;
}

/** What was uploaded, oldest first. */
export class Files {
  readonly #clock: Clock;
  readonly #kept = new Map<string, StoredFile>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(id: string, filename: string, purpose: string, bytes: Uint8Array): StoredFile {
    const createdAt = Math.floor(this.#clock.now() / 1000);
    const file: StoredFile = { id, filename, purpose, createdAt, bytes, lineCount: linesOf(bytes).length };
    this.#kept.set(id, file);
    return file;
  }

  get(id: string): StoredFile | undefined {
    return this.#kept.get(id);
  }

  list(purpose: string): StoredFile[] {
    return [...this.#kept.values()].filter((file) => file.purpose === purpose);
  }

  clear(): void {
    this.#kept.clear();
  }
}

/** The lines of a JSONL file; empty ones do not count. */
export function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(10, start);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    // 13 is the "\r" of a file that was written on Windows.
    if (line.length > 0 && !(line.length === 1 && line[0] === 13)) lines.push(line);
    start = end + 1;
  }
  return lines;
}
