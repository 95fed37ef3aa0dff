/**
 * Sizes that the service recommends, by model family. Hints for models that draw, not a check: it may take others.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/images/images-generations (read 2026-07)
 */
const families: readonly (readonly [RegExp, string])[] = [
  [/Kolors/i, "1024x1024, 960x1280, 768x1024, 720x1440, 720x1280"],
  [/Qwen-Image/i, "1328x1328, 1664x928, 928x1664, 1472x1140, 1140x1472, 1584x1056, 1056x1584"],
  [/FLUX\.2/i, "512x512, 768x1024, 1024x768, 576x1024, 1024x576"],
  [/Z-Image-Turbo/i, "512x512, 768x1024, 1024x576, 576x1024"],
  [/FLUX\.1-schnell/i, "1024x1024, 512x1024, 768x512, 768x1024, 1024x576, 576x1024"],
  [/FLUX\.1-dev/i, "1024x1024, 960x1280, 768x1024, 720x1440, 720x1280"],
];

/** Sizes that a model is known to take, for a sentence; nothing for a model that is not known. */
export function knownSizes(model: string): string | undefined {
  return families.find(([pattern]) => pattern.test(model))?.[1];
}
