import { type ImageSource, InvalidInputError } from "@langchain-siliconflow/client";
import { type Content, readContent } from "@langchain-siliconflow/client/adapter";
import type { ContentBlock } from "@langchain/core/messages";

/**
 * One input of a model that embeds texts and images: a text, `{ text }` or `{ image }`, or a content block of LangChain's
 * (`text`, `image` or `image_url`). Each holds either a text or one image.
 */
export type EmbeddingContent =
  | string
  | { text: string }
  | { image: ImageSource }
  | ContentBlock.Text
  | ContentBlock.Multimodal.Image
  | { type: "image_url"; image_url: string | { url: string } };

/** Those the service documents as embedding text alone. Whatever is not here may take images: that is the service's to say. */
const textModels = new Set([
  "BAAI/bge-large-zh-v1.5",
  "BAAI/bge-large-en-v1.5",
  "BAAI/bge-m3",
  "Pro/BAAI/bge-m3",
  "netease-youdao/bce-embedding-base_v1",
  "Qwen/Qwen3-Embedding-0.6B",
  "Qwen/Qwen3-Embedding-4B",
  "Qwen/Qwen3-Embedding-8B",
]);

/** What `embedContents` was given, ready to be sent. @throws {@link InvalidInputError} for what the model cannot embed. */
export async function readContents(
  contents: readonly EmbeddingContent[],
  model: string,
): Promise<(string | Content)[]> {
  if (!Array.isArray(contents)) throw new InvalidInputError("contents must be a list.");
  return await Promise.all(
    Array.from(contents as readonly unknown[], async (given, position) => {
      const place = `contents[${position}]`;
      const content = await readContent(given, place, position);
      const { text, names } = content;
      // Objects, even those of a text, are documented only for models that take images.
      if (text !== undefined && (typeof given === "string" || textModels.has(model))) return text;
      const wrong =
        names.includes("text") === names.includes("image")
          ? "must be a text, or an object with a text or an image: one of the two."
          : textModels.has(model)
            ? `is an image, but ${model} takes text only. Choose a model that takes images, such as "Qwen/Qwen3-VL-Embedding-8B".`
            : undefined;
      if (wrong !== undefined) throw new InvalidInputError(`${place} ${wrong}`, { position });
      return content;
    }),
  );
}
