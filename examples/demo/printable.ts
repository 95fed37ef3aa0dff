/**
 * Text of a document, a model or a host as it may reach a terminal: control characters could change its colours, its
 * title or what stands on the screen already, and marks for the direction of writing could show another order.
 */
export function printable(text: string): string {
  return text.replaceAll("\r", "").replaceAll(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, "�");
}
