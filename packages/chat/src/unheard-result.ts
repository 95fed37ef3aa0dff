import { type ChatResult, type LLMResult, RUN_KEY } from "@langchain/core/outputs";

/**
 * What core makes of an answer whose run no handler is told of. Core would also work out what it tells them: the request once more,
 * names, tags and options, a seventh of what `invoke` costs beyond undici.
 *
 * @param llmOutput - That of the answer, as `_combineLLMOutput` returns it.
 */
export function toUnheardResult(answer: ChatResult, llmOutput: Record<string, unknown>): LLMResult {
  const { generations } = answer;
  for (const { message, generationInfo } of generations)
    message.response_metadata = { ...generationInfo, ...message.response_metadata };
  if (generations.length === 1) {
    const { message } = generations[0]!;
    message.response_metadata = { ...answer.llmOutput, ...message.response_metadata };
  }
  const result: LLMResult = { generations: [generations], llmOutput };
  Object.defineProperty(result, RUN_KEY, { value: undefined, configurable: true });
  return result;
}
