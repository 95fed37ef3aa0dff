import type { DocumentInterface } from "@langchain/core/documents";

/** A new document of the same class. Core's `Document` is not imported: its entry would load half of LangChain. */
export function withMetadata(document: DocumentInterface, added: { [name: string]: unknown }): DocumentInterface {
  const metadata = { ...document.metadata, ...added };
  const copy = Object.create(Object.getPrototypeOf(document) as object | null) as DocumentInterface;
  return Object.assign(copy, document, { metadata });
}
