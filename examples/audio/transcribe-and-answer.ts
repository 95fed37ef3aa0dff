/**
 * Ask a question about a recording: it is written down, and a chat model answers from what was said.
 *
 *   npm run example audio/transcribe-and-answer   offline, against the emulator: the recording is spoken first
 *   npm run example audio/transcribe-and-answer meeting.mp3 "What did we decide?"
 *   SILICONFLOW_API_KEY=sk-… npm run example audio/transcribe-and-answer
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatSiliconFlow, SiliconFlowClient } from "langchain-siliconflow";

const client = new SiliconFlowClient();
const [file = await speak(), question = "When does the ferry leave on Sundays?"] = process.argv.slice(2);

const { text } = await client.transcriptions.create({ model: "FunAudioLLM/SenseVoiceSmall", file });
console.log(`${file}\n\nheard     ${text}\nquestion  ${question}`);

const prompt = ChatPromptTemplate.fromMessages([
  [
    "system",
    "Answer from the transcript [1] only, with the words that answer the question between double quotes. If it does not say, say so.",
  ],
  ["human", "Transcript:\n\n[1] {text}\n\nQuestion: {question}"],
]);
const model = new ChatSiliconFlow({ client, model: "Qwen/Qwen3-8B", enableThinking: false });

process.stdout.write("answer    ");
for await (const chunk of await prompt.pipe(model).stream({ text, question })) process.stdout.write(chunk.text);
console.log();

/** A recording for those who have none. */
async function speak(): Promise<string> {
  const speaker = "FunAudioLLM/CosyVoice2-0.5B";
  const sound = await client.speech.create({
    model: speaker,
    voice: `${speaker}:benjamin`,
    input:
      "Welcome to the harbour office. On weekdays the ferry leaves at seven in the morning. " +
      "On Sundays the ferry leaves at half past nine. Bicycles travel free of charge.",
  });
  const path = join(await mkdtemp(join(tmpdir(), "siliconflow-recording-")), "harbour-office.mp3");
  await writeFile(path, sound);
  return path;
}
