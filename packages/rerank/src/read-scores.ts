import { InvalidResponseError, type RerankResponse } from "@langchain-siliconflow/client";

/** How well one document answers the query. */
export interface RerankResult {
  /** Place of the document in the list that was given. */
  index: number;
  /** Higher is better. Models score between 0 and 1; scores of different models cannot be compared. */
  relevanceScore: number;
}

/**
 * The scores of an answer, best first; equal scores stay in the order of the service.
 *
 * @param count - Documents that were sent.
 * @param wanted - Results that were asked for.
 * @throws {@link InvalidResponseError} when a score cannot be trusted. Its `position` is that of the document, or that of the result
 * where the result does not belong to one document.
 */
export function readScores(response: RerankResponse, count: number, wanted: number): RerankResult[] {
  const { results, traceId, attempts } = response;
  const wrong = (reason: "malformed" | "badScore", message: string, position?: number) =>
    new InvalidResponseError(message, {
      reason,
      ...(position !== undefined && { position }),
      ...(traceId !== undefined && { traceId }),
      ...(attempts !== undefined && { attempts }),
    });
  // Nothing relevant is an answer too, with an empty list or with none.
  if (results === undefined || results === null) return [];
  if (!Array.isArray(results)) throw wrong("malformed", "The results of the answer are not a list.");
  if (results.length === 0) return [];
  const scored = new Uint8Array(count);
  let isSorted = true;
  let lowest = Infinity;
  const scores = results.map((result: unknown, place): RerankResult => {
    // Results come unchecked from the wire.
    const { index, relevance_score: score } = (result ?? {}) as { index?: unknown; relevance_score?: unknown };
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count) {
      const shown = typeof index === "number" ? String(index) : typeof index;
      throw wrong("malformed", `Result ${place} has the index ${shown}, but ${count} documents were sent.`, place);
    }
    if (scored[index] === 1) throw wrong("malformed", `documents[${index}] has more than one score.`, place);
    if (typeof score !== "number" || !Number.isFinite(score)) {
      const shown = typeof score === "number" || score === null ? String(score) : `a ${typeof score}`;
      throw wrong("badScore", `The score of documents[${index}] is ${shown}, not a number to sort by.`, index);
    }
    scored[index] = 1;
    if (score > lowest) isSorted = false;
    lowest = score;
    return { index, relevanceScore: score };
  });
  if (scores.length < wanted) {
    const missing = scored.indexOf(0);
    // With a `top_n` below the count, which document is missing cannot be known.
    const named = wanted === count ? ` documents[${missing}] has no score.` : "";
    const message = `The answer holds ${scores.length} results where ${wanted} were asked for.${named}`;
    throw wrong("malformed", message, wanted === count ? missing : undefined);
  }
  // The service sorts them; to sort a thousand once more takes as long as to check them.
  if (!isSorted) scores.sort((a, b) => b.relevanceScore - a.relevanceScore);
  return scores.length === wanted ? scores : scores.slice(0, wanted);
}
