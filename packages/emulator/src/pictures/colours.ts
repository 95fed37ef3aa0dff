import type { Colour, Picture } from "./canvas.js";

/** The colours that the emulator knows by name, with the words for them. */
export const namedColours: ReadonlyMap<string, { rgb: Colour; words: readonly string[] }> = new Map(
  Object.entries({
    red: { rgb: [214, 40, 40], words: ["scarlet", "crimson", "红"] },
    orange: { rgb: [245, 130, 32], words: ["橙", "橘"] },
    yellow: { rgb: [250, 214, 40], words: ["gold", "golden", "黄", "金色"] },
    green: { rgb: [46, 158, 68], words: ["绿"] },
    turquoise: { rgb: [48, 190, 190], words: ["cyan", "teal", "青"] },
    blue: { rgb: [36, 92, 214], words: ["azure", "蓝"] },
    purple: { rgb: [132, 52, 178], words: ["violet", "紫"] },
    pink: { rgb: [246, 142, 184], words: ["rose", "粉"] },
    brown: { rgb: [124, 78, 42], words: ["棕", "褐"] },
    black: { rgb: [16, 16, 20], words: ["黑"] },
    grey: { rgb: [136, 138, 142], words: ["gray", "silver", "灰", "银"] },
    white: { rgb: [250, 250, 250], words: ["白"] },
  } satisfies Record<string, { rgb: Colour; words: string[] }>),
);

/** The colours that take up most of a picture, the largest first, as shares of 0–1; none below a twentieth. */
export function mainColours({ width, height, data }: Picture): { name: string; share: number }[] {
  const counts = new Map<string, number>();
  // Some thousands of pixels, evenly spread, tell as much as all of them.
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / 4096)));
  let seen = 0;
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      const at = (y * width + x) * 4;
      const name = data[at + 3]! < 128 ? "transparent" : nearest(data[at]!, data[at + 1]!, data[at + 2]!);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      seen += 1;
    }
  }
  return [...counts]
    .map(([name, count]) => ({ name, share: count / seen }))
    .filter(({ share }) => share >= 0.05)
    .toSorted((one, other) => other.share - one.share);
}

function nearest(r: number, g: number, b: number): string {
  let best = "";
  let least = Infinity;
  for (const [name, { rgb }] of namedColours) {
    const distance = (rgb[0] - r) ** 2 + (rgb[1] - g) ** 2 + (rgb[2] - b) ** 2;
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}
