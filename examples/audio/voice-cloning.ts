/**
 * Speak with a voice of your own: upload a sample of it, have a text read, and delete the voice again.
 *
 *   npm run example audio/voice-cloning           offline, against the emulator: the sample is spoken first
 *   npm run example audio/voice-cloning me.mp3 "What I say in me.mp3, word for word."
 *   SILICONFLOW_API_KEY=sk-… npm run example audio/voice-cloning
 *
 * A sample of 8 to 10 seconds is best. Take only voices whose owners agree.
 */
import { createWriteStream } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { SiliconFlowClient } from "langchain-siliconflow";

const model = "FunAudioLLM/CosyVoice2-0.5B";
const spoken =
  "The harbour lies still tonight. A lantern moves along the pier, and far out somebody is singing an old song.";

const client = new SiliconFlowClient();
const folder = await mkdtemp(join(tmpdir(), "siliconflow-voice-"));
const [file = await speakSample(), text = spoken] = process.argv.slice(2);

const voice = await client.voices.upload({ model, customName: "my-voice", text, file });
console.log(`uploaded  ${file}\n          as ${voice.uri}`);
try {
  const path = join(folder, "cloned.mp3");
  const sound = client.speech.stream({ model, voice: voice.uri, input: "This sentence was never in the sample." });
  await pipeline(sound, createWriteStream(path));
  console.log(`spoken    ${path}`);

  // What a listener makes of it.
  const heard = await client.transcriptions.create({ model: "FunAudioLLM/SenseVoiceSmall", file: path });
  console.log(`heard     ${heard.text}`);
} finally {
  await client.voices.delete(voice);
}
const { results } = await client.voices.list();
console.log(`deleted   voices left: ${results.length}`);

/** For those who have no sample: one of the service's own voices. */
async function speakSample(): Promise<string> {
  const path = join(folder, "sample.mp3");
  await writeFile(path, await client.speech.create({ model, voice: `${model}:claire`, input: spoken }));
  return path;
}
