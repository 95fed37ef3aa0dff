// From the client alone: a mistyped option should not wait until LangChain is loaded.
import { isSiliconFlowError } from "@langchain-siliconflow/client";

/** A problem the person at the keyboard can solve: one sentence of what is wrong, one of what to do. No stack trace. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** Any error as the text to show. */
export function explain(error: unknown): string {
  if (error instanceof Failure) return error.message;
  if (isSiliconFlowError(error)) return oneLine(`${error.message} ${adviceFor(error.reason)}`);
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === "ENOSPC") return "The disk is full. Make room, then run again: what was embedded so far is kept.";
  if (code && ["EACCES", "EROFS", "EEXIST", "ENOTDIR"].includes(code)) {
    return oneLine(`${message}. Choose a writable folder with SILICONFLOW_DEMO_HOME.`);
  }
  return oneLine(message || String(error));
}

function adviceFor(reason: string): string {
  const host = process.env["SILICONFLOW_BASE_URL"] || "the address of the service";
  switch (reason) {
    case "auth":
      return "Check SILICONFLOW_API_KEY, or unset it to try this offline.";
    case "balance":
      return "Top up the account, or unset SILICONFLOW_API_KEY to try this offline.";
    case "permission":
    case "notFound":
      return "Choose a model your account may use: --model, --embedding-model, --rerank-model.";
    case "dns":
    case "refused":
    case "tls":
    case "proxy":
      return `Check that ${host} is right (SILICONFLOW_BASE_URL) and the network or proxy (HTTPS_PROXY), or unset SILICONFLOW_API_KEY to try this offline.`;
    case "badRequest":
      return "Check that each model is of the right kind: --model, --embedding-model, --rerank-model.";
    case "timeout":
    case "reset":
    case "rateLimit":
    case "overloaded":
    case "server":
    case "partial":
      return "Run the same command again in a moment: what was embedded so far is kept.";
    case "contextLength":
      return "Ask with fewer passages (--top-n 3) or a model with a longer context (--model).";
    default:
      return "";
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
