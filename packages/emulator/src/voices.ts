import type { Speaker } from "./audio/speaking.js";

/** A voice that was uploaded. */
interface UploadedVoice {
  model: string;
  customName: string;
  text: string;
  uri: string;
  speaker: Speaker;
}

/** Uploaded voices by their uri, in the order in which they came. */
export type Voices = Map<string, UploadedVoice>;
