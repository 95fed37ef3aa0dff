import { parseAnswer } from "./answer.js";
import { isObject } from "./resources/fields.js";
import type { Exchange } from "./transport.js";
import type { WireResponse } from "./wire.js";

/**
 * The decoder of an answer that may stand inside `{ code, message, status, data }`: what is inside, where `isAnswer` knows it.
 * Any code but 20000 is a refusal.
 */
export function unwrapped<T extends object>(isAnswer: (value: Record<string, unknown>) => boolean) {
  return (text: string, response: WireResponse, exchange: Exchange): T => {
    let answer: Record<string, unknown> | undefined;
    parseAnswer(text, response, exchange, (value) => {
      const inside = isWrapped(value) ? value["data"] : value;
      if (!isObject(inside) || !isAnswer(inside)) return false;
      answer = inside;
      return true;
    });
    // `isAnswer` has looked at it: parseAnswer throws otherwise.
    return answer as T;
  };
}

function isWrapped(value: Record<string, unknown>): boolean {
  return Number(value["code"]) === 20_000 && "data" in value;
}
