import type { CompletionChunk, TextCompletion, Usage } from "@langchain-siliconflow/client";
import { type Generation, GenerationChunk } from "@langchain/core/outputs";
import { normalFinishReason } from "./repaired-stream.js";
import { toTokenUsage } from "./wire-to-messages.js";

/** A chunk of a stream; `undefined` for one that only counts. */
export function toGenerationChunk({ choices, model }: CompletionChunk): GenerationChunk | undefined {
  const [choice] = choices;
  if (choice === undefined) return undefined;
  const text = choice.text ?? "";
  if (text === "" && !choice.finish_reason) return undefined;
  return new GenerationChunk({ text, generationInfo: generationInfo(choice, model) });
}

/** A whole answer: a generation for each choice. */
export function toGenerations({ choices, model, usage, traceId }: TextCompletion): Generation[] {
  return choices.map((choice) => ({
    text: choice.text,
    generationInfo: {
      ...generationInfo(choice, model),
      ...(usage && { usage: { ...usage } }),
      ...(traceId !== undefined && { trace_id: traceId }),
    },
  }));
}

function generationInfo(
  choice: { finish_reason?: string | null; logprobs?: unknown },
  model: string | undefined,
): Record<string, unknown> {
  const { finish_reason, logprobs } = choice;
  return {
    ...(model && { model }),
    ...(finish_reason && { finish_reason: normalFinishReason(finish_reason) }),
    ...(logprobs != null && { logprobs }),
  };
}

/** The counts of several answers as one. */
export function sumTokenUsage(usages: Usage[]): Record<string, number> {
  const total = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };
  for (const usage of usages) {
    const counts = toTokenUsage(usage);
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name] ?? 0;
  }
  return total;
}
