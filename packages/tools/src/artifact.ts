import type { StoredArtifact } from "./artifact-store.js";

/** What a tool made, for the program; the model reads one line. In `artifact` of the tool's message. */
export interface MediaArtifact extends StoredArtifact {
  /** Model id that made it. */
  model: string;
  /** With which the same comes again, where the service says so. */
  seed?: number;
  /** `x-siliconcloud-trace-id`: quote it to support. */
  traceId?: string;
  /** The service's own link. */
  url?: string;
  /** From when on that link may be dead: ISO 8601. The stored file stays. */
  expiresAt?: string;
}

/** What was heard. In `artifact` of the transcription tool's message. */
export interface TranscriptionArtifact {
  /** All of it, as in the message. */
  text: string;
  /** Name of the recording. */
  name: string;
  /** Model id that heard it. */
  model: string;
  /** `x-siliconcloud-trace-id`: quote it to support. */
  traceId?: string;
}

/** The facts that are known, for fields that must be left out otherwise. */
export function known<T extends object>(facts: T): { [K in keyof T]?: Exclude<T[K], undefined | null> } {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined | null> }; // Fewer of the same.
}
