import { listen } from "../audio/listening.js";
import { sampledSpeaker } from "../audio/speaking.js";
import { fieldsOf, modelOf, requiredText, type Fields } from "../fields.js";
import { UploadedFile } from "../form.js";
import { invalid, json } from "../reply.js";
import type { Endpoint } from "../router.js";

const mostSeconds = 30;

/** `POST /uploads/audio/voice`: a sample of a voice, to speak with it from now on. */
export const uploadVoice: Endpoint = async ({ body }, { models, settings, voices, nextId }) => {
  const fields = fieldsOf(body);
  const model = modelOf(fields, "text-to-speech", models);
  if (settings.quirks.voiceModels === "CosyVoice2" && model.id !== "FunAudioLLM/CosyVoice2-0.5B") {
    throw invalid("Value error, current model does not support custom voices.");
  }
  const [customName, text] = [requiredText(fields, "customName"), requiredText(fields, "text")];
  const sample = sampleOf(fields);
  const { seconds } = await listen(sample);
  if (seconds !== undefined && seconds >= mostSeconds)
    throw invalid(`The audio should be under ${mostSeconds} seconds`);
  const uri = `speech:${customName}:emulator:${nextId()}`;
  voices.set(uri, { model: model.id, customName, text, uri, speaker: sampledSpeaker(sample) });
  return json({ uri });
};

/** `GET /audio/voice/list`. */
export const listVoices: Endpoint = (_call, { settings, voices }) =>
  json({
    [settings.quirks.voiceList]: Array.from(voices.values(), ({ model, customName, text, uri }) => ({
      model,
      customName,
      text,
      uri,
    })),
  });

/** `POST /audio/voice/deletions`. */
export const deleteVoice: Endpoint = ({ body }, { voices, settings }) => {
  const uri = requiredText(fieldsOf(body), "uri");
  if (!voices.delete(uri)) throw invalid("Voice does not exist.");
  const { voiceDeleted } = settings.quirks;
  if (voiceDeleted === "nothing") return { status: 200, headers: {}, body: "" };
  return json(voiceDeleted === "text" ? "The voice was deleted." : { uri });
};

/** The bytes of `file` or of `audio`: a form has either, JSON only the latter. */
function sampleOf(fields: Fields): Uint8Array {
  const { file, audio } = fields;
  if ((file === undefined) === (audio === undefined)) throw invalid("Either file or audio is required");
  if (file !== undefined && !(file instanceof UploadedFile)) throw invalid("file should be a file");
  const base64 = typeof audio === "string" ? /^data:audio\/[\w.+-]+;base64,([\w+/]+=*)$/i.exec(audio)?.[1] : undefined;
  if (audio !== undefined && base64 === undefined) throw invalid("audio should be data:audio/<type>;base64,…");
  const bytes = file?.bytes ?? Buffer.from(base64!, "base64");
  if (bytes.length === 0) throw invalid("The audio is empty");
  return bytes;
}
