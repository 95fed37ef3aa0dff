import { createHash } from "node:crypto";
import { Canvas, mixed, type Colour, type Picture, type Point } from "./canvas.js";
import { namedColours } from "./colours.js";

/** What a picture is made from. */
export interface PictureOrder {
  model: string;
  prompt: string;
  seed: number;
  /** Tells the pictures of one request apart. */
  index: number;
}

/** Something in a picture; places and sizes are shares of its width and height. */
interface Thing {
  shape: string;
  colour: Colour;
  x: number;
  y: number;
  size: number;
  turn: number;
  /** Where it moves in a film. */
  drift: Point;
}

/** What there is to see. */
export interface Scene {
  above: Colour;
  below: Colour;
  /** Laid over given pictures. */
  tint: Colour | undefined;
  things: Thing[];
  caption: string;
}

const shapeWords: Readonly<Record<string, readonly string[]>> = {
  circle: ["circles", "ball", "balls", "disc", "disk", "sun", "moon", "apple", "圆", "球", "太阳", "月亮", "苹果"],
  square: ["squares", "box", "boxes", "cube", "cubes", "方", "立方体", "盒子"],
  triangle: ["triangles", "pyramid", "mountain", "mountains", "三角", "山"],
  star: ["stars", "星"],
  heart: ["hearts", "心"],
  diamond: ["diamonds", "rhombus", "菱形", "钻石"],
  ring: ["rings", "circlet", "donut", "环"],
  hexagon: ["hexagons", "六边形"],
};
const numberWords = ["one|一", "two|两|二", "three|三", "four|四", "five|五", "six|六", "seven|七", "eight|八"];
const backgroundWords = ["background", "backdrop", "sky", "wall", "背景", "天空"];

/** Every word that means something, by what it means. */
const meanings = new Map<string, { colour?: Colour; shape?: string; count?: number; background?: true }>();
for (const [name, { rgb, words }] of namedColours)
  for (const word of [name, ...words]) meanings.set(word, { colour: rgb });
for (const [shape, words] of Object.entries(shapeWords))
  for (const word of [shape, ...words]) meanings.set(word, { shape });
numberWords.forEach((words, index) => words.split("|").forEach((word) => meanings.set(word, { count: index + 1 })));
for (const word of backgroundWords) meanings.set(word, { background: true });
// The longest first: 三角 is a triangle, not three of something.
const anyWord = new RegExp(
  [...meanings.keys()]
    .toSorted((one, other) => other.length - one.length)
    .map((word) => (/^[a-z]/.test(word) ? `\\b${word}\\b` : word))
    .join("|"),
  "g",
);

/** Reads a prompt for colours and shapes ("three red stars on a blue background"), and makes up the rest from the seed. */
export function sceneOf(order: PictureOrder): Scene {
  const random = randomFrom(`${order.model}\n${order.prompt}\n${order.seed}\n${order.index}`);
  const anyColour = () => colours[Math.floor(random() * colours.length)]!;
  const wanted: { shape: string; colour: Colour | undefined }[] = [];
  let background: Colour | undefined;
  let colour: Colour | undefined;
  let count = 1;
  for (const [word] of order.prompt.toLowerCase().matchAll(anyWord)) {
    const meaning = meanings.get(word)!;
    if (meaning.colour) colour = meaning.colour;
    if (meaning.count !== undefined) count = meaning.count;
    if (meaning.shape !== undefined) {
      for (let each = 0; each < count; each += 1) wanted.push({ shape: meaning.shape, colour });
      [colour, count] = [undefined, 1];
    } else if (meaning.background) [background, colour] = [colour, undefined];
  }
  const tint = wanted.length === 0 ? colour : undefined;
  if (wanted.length === 0) {
    const shapes = Object.keys(shapeWords);
    for (let each = 0; each < 5; each += 1)
      wanted.push({ shape: shapes[Math.floor(random() * shapes.length)]!, colour });
  }

  const base = background ?? mixed(anyColour(), [235, 235, 240], 0.6);
  const shown = wanted.slice(0, 24);
  return {
    above: mixed(base, [255, 255, 255], 0.15 * random()),
    below: mixed(base, [0, 0, 0], 0.15 + 0.2 * random()),
    tint,
    things: shown.map((thing, index) => ({
      shape: thing.shape,
      colour: thing.colour ?? anyColour(),
      x: (index + 0.35 + 0.3 * random()) / shown.length,
      y: 0.3 + 0.3 * random(),
      size: Math.max(0.06, (0.3 + 0.08 * random()) / Math.max(1, shown.length ** 0.65)),
      turn: thing.colour === undefined || shown.length > 1 ? (random() - 0.5) * 0.5 : 0,
      drift: [(random() - 0.5) * 0.4, (random() - 0.5) * 0.3],
    })),
    caption: order.prompt,
  };
}

/**
 * Draws a scene, over the given pictures side by side where there are any.
 *
 * @param moment 0–1, how far a film has come; 0 for a picture
 */
export function paint(scene: Scene, width: number, height: number, given: readonly Picture[], moment = 0): Canvas {
  const canvas = new Canvas(width, height);
  if (given.length === 0) canvas.gradient(scene.above, scene.below);
  given.forEach((picture, index) => {
    const left = Math.floor((index * width) / given.length);
    canvas.paste(picture, left, Math.floor(((index + 1) * width) / given.length) - left, 1 + moment / 4);
  });
  if (given.length > 0 && scene.tint) canvas.shade(0, 0, width, height, scene.tint, 0.35);
  const radius = Math.min(width, height);
  for (const thing of scene.things) {
    const x = (thing.x + thing.drift[0] * moment) * width;
    const y = (thing.y + thing.drift[1] * moment) * height;
    // Smaller over a picture, which is to be seen below.
    const size = thing.size * radius * (given.length > 0 ? 0.4 : 1);
    const outlines = outlinesOf(thing.shape, thing.turn + moment * thing.drift[0] * 4).map((outline) =>
      outline.map(([u, v]): Point => [x + u * size, y + v * size]),
    );
    canvas.fill(outlines, thing.colour);
  }
  canvas.caption(scene.caption);
  return canvas;
}

/** A shape around the origin, about one unit wide to each side, turned by an angle. */
function outlinesOf(shape: string, turn: number): Point[][] {
  switch (shape) {
    case "square":
      return [corners(4, turn + Math.PI / 4)];
    case "triangle":
      return [corners(3, turn)];
    case "diamond":
      return [corners(4, turn).map(([x, y]): Point => [x * 0.7, y])];
    case "hexagon":
      return [corners(6, turn)];
    case "star":
      return [corners(10, turn, (index) => (index % 2 === 0 ? 1 : 0.42))];
    case "ring":
      return [corners(128, turn), corners(128, turn, () => 0.6)];
    case "heart":
      return [corners(128, 0).map((_, index) => heart((index / 128) * 2 * Math.PI))];
    default:
      return [corners(128, turn)];
  }
}

function corners(count: number, turn: number, radius: (index: number) => number = () => 1): Point[] {
  return Array.from({ length: count }, (_, index): Point => {
    const angle = turn - Math.PI / 2 + (index / count) * 2 * Math.PI;
    return [Math.cos(angle) * radius(index), Math.sin(angle) * radius(index)];
  });
}

function heart(angle: number): Point {
  const x = 16 * Math.sin(angle) ** 3;
  const y = 13 * Math.cos(angle) - 5 * Math.cos(2 * angle) - 2 * Math.cos(3 * angle) - Math.cos(4 * angle);
  return [x / 16, -y / 16];
}

const colours = [...namedColours.values()].map(({ rgb }) => rgb);

/** Numbers from 0 to 1 that depend on a text alone. */
function randomFrom(text: string): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash("sha256").update(`${drawn} ${text}`).digest().readUInt32LE() / 2 ** 32;
  };
}
