import { listen, type Heard } from "../audio/listening.js";
import { fieldsOf, modelOf } from "../fields.js";
import { UploadedFile } from "../form.js";
import { invalid, json } from "../reply.js";
import type { Endpoint } from "../router.js";
import { countTokens } from "../tokens.js";

const mostBytes = 50 * 1024 * 1024;
const mostSeconds = 60 * 60;

/** `POST /audio/transcriptions`: the text of speech that `POST /audio/speech` made, here or elsewhere. */
export const transcriptions: Endpoint = async ({ body }, { models, limits }) => {
  const fields = fieldsOf(body);
  const model = modelOf(fields, "speech-to-text", models);
  const { file } = fields;
  // JSON has no files: whatever it says, the field is missing.
  if (!(file instanceof UploadedFile)) throw invalid("Field required");
  if (file.bytes.length === 0) throw invalid("The audio file is empty");
  if (file.bytes.length > mostBytes) throw invalid("The audio file exceeds 50 MB");
  const heard = await listen(file.bytes);
  if (heard.seconds !== undefined && heard.seconds > mostSeconds) throw invalid("The audio is longer than 1 hour");
  const text = heard.text ?? excuse(heard, file.bytes.length);
  limits.admit(model.id, countTokens(text));
  return json({ text });
};

/** What is said of other audio, rather than an invented text. */
function excuse({ format, seconds }: Heard, bytes: number): string {
  const length = seconds === undefined ? `${bytes} bytes` : `${seconds.toFixed(1)} seconds`;
  return `This is an emulator: it understands only speech that an emulator has made. The file holds ${length} of ${
    format ? `audio (${format})` : "an unknown format"
  }.`;
}
