// From the client alone: a mistyped option should not wait until LangChain is loaded.
import { isSiliconFlowError } from "@langchain-siliconflow/client";
import { printable } from "./printable.ts";

/** A problem the person at the keyboard can solve: one sentence of what is wrong, one of what to do. No stack trace. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** Any error as the text to show. */
export function explain(error: unknown): string {
  if (error instanceof Failure) return printable(error.message);
  if (isSiliconFlowError(error)) {
    const stop = /[.?!)。？！]$/.test(error.message) ? "" : ".";
    return oneLine(`${error.message}${stop} ${adviceFor(error.reason)}`);
  }
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === "ENOSPC") return "The disk is full. Make room, then run again: what was embedded so far is kept.";
  if (code && ["EACCES", "EPERM", "EROFS", "EEXIST", "ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(code)) {
    return oneLine(`${message}. Choose a writable folder with SILICONFLOW_DEMO_HOME.`);
  }
  return oneLine(message || String(error));
}

/** Says which model a refused request was for: the service does not, and there are three. */
export async function naming<T>(option: string, model: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const isAboutModel = isSiliconFlowError(error) && ["notFound", "permission", "badRequest"].includes(error.reason);
    throw isAboutModel ? new Failure(`${option} ${model}: ${explain(error)}`) : error;
  }
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
    case "notJson":
    case "empty":
    case "malformed":
    case "blockedAddress":
      return `Check that ${host} is right (SILICONFLOW_BASE_URL), and that nothing stands between it and this machine.`;
    case "badRequest":
      return "Check that each model is of the right kind: --model, --embedding-model, --rerank-model.";
    case "timeout":
    case "reset":
    case "truncated":
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
  return printable(text.replaceAll(/\s+/g, " ").trim());
}
