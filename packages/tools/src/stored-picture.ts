import { InvalidInputError } from "@langchain-siliconflow/client";
import type { ArtifactStore } from "./artifact-store.js";

/**
 * A picture of the store as a request holds it: a data URL.
 *
 * @throws {@link InvalidInputError} for a name that is not in the store, and for a file that is no picture
 */
export async function storedPicture(store: ArtifactStore, name: string): Promise<string> {
  const file = await store.read(name);
  if (!file.type.startsWith("image/")) throw new InvalidInputError(`${name} is no picture, but ${file.type}.`);
  return `data:${file.type};base64,${Buffer.from(await file.arrayBuffer()).toString("base64")}`;
}
