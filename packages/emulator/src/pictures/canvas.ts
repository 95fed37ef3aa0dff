import { drawnText } from "./lettering.js";

/** Red, green and blue, each 0–255. */
export type Colour = readonly [number, number, number];

/** A point in pixels, from the upper left corner. */
export type Point = readonly [x: number, y: number];

/** Pixels as red, green, blue and opacity, row by row. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

/** A picture that can be drawn on. */
export class Canvas implements Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 4).fill(255);
  }

  /** Covers everything with one colour above that goes over into another below. */
  gradient(above: Colour, below: Colour): void {
    const pixels = new Uint32Array(this.data.buffer);
    for (let y = 0; y < this.height; y += 1) {
      const colour = Uint8Array.of(...mixed(above, below, y / Math.max(1, this.height - 1)), 255);
      pixels.fill(new Uint32Array(colour.buffer)[0]!, y * this.width, (y + 1) * this.width);
    }
  }

  /** Fills what lies inside an odd number of the outlines, with smooth edges. */
  fill(outlines: readonly (readonly Point[])[], colour: Colour, opacity = 1): void {
    const heights = outlines.flat().map(([, y]) => y);
    const first = Math.max(0, Math.floor(Math.min(...heights)));
    const last = Math.min(this.height - 1, Math.ceil(Math.max(...heights)));
    const coverage = new Float32Array(this.width);
    for (let y = first; y <= last; y += 1) {
      coverage.fill(0);
      for (const part of [0.125, 0.375, 0.625, 0.875]) {
        const crossings = crossingsOf(outlines, y + part);
        for (let index = 0; index + 1 < crossings.length; index += 2) {
          cover(coverage, crossings[index]!, crossings[index + 1]!, opacity / 4);
        }
      }
      for (let x = 0; x < this.width; x += 1) if (coverage[x]! > 0) this.#blend(x, y, colour, coverage[x]!);
    }
  }

  /** Lays a colour over a rectangle. */
  shade(left: number, top: number, width: number, height: number, colour: Colour, opacity: number): void {
    for (let y = Math.max(0, top); y < Math.min(this.height, top + height); y += 1) {
      for (let x = Math.max(0, left); x < Math.min(this.width, left + width); x += 1)
        this.#blend(x, y, colour, opacity);
    }
  }

  /**
   * Draws the middle of a picture into a column as high as this one, so large that it fills it; what is transparent in
   * it becomes white.
   *
   * @param zoom from 1, how much larger than it must be
   */
  paste(picture: Picture, left: number, width: number, zoom: number): void {
    const scale = Math.max(width / picture.width, this.height / picture.height) * zoom;
    const columns = Array.from({ length: width }, (_, x) => within(x - width / 2, scale, picture.width));
    for (let y = 0; y < this.height; y += 1) {
      const row = within(y - this.height / 2, scale, picture.height) * picture.width;
      let to = (y * this.width + left) * 4;
      for (const column of columns) {
        const from = (row + column) * 4;
        const opacity = picture.data[from + 3]! / 255;
        for (let part = 0; part < 3; part += 1)
          this.data[to + part] = 255 + (picture.data[from + part]! - 255) * opacity;
        to += 4;
      }
    }
  }

  /** Writes a text on a dark strip along the lower edge. */
  caption(text: string): void {
    const scale = Math.max(1, Math.round(Math.min(this.width, this.height) / 280));
    const { width, height, dots } = drawnText(text, Math.floor(this.width / scale) - 4, 4);
    const top = this.height - (height + 4) * scale;
    this.shade(0, top, this.width, this.height - top, [16, 16, 24], 0.85);
    const left = Math.floor((this.width - width * scale) / 2);
    for (const [x, y] of dots) this.shade(left + x * scale, top + (y + 2) * scale, scale, scale, [255, 255, 255], 1);
  }

  #blend(x: number, y: number, [r, g, b]: Colour, opacity: number): void {
    const at = (y * this.width + x) * 4;
    const { data } = this;
    data[at] = data[at]! + (r - data[at]!) * opacity;
    data[at + 1] = data[at + 1]! + (g - data[at + 1]!) * opacity;
    data[at + 2] = data[at + 2]! + (b - data[at + 2]!) * opacity;
  }
}

/** So much of the way from one colour to another. @param share 0–1 */
export function mixed(from: Colour, to: Colour, share: number): Colour {
  const part = (index: 0 | 1 | 2) => from[index] + (to[index] - from[index]) * share;
  return [part(0), part(1), part(2)];
}

/** The pixel of a picture that lies so far from its middle when it is drawn so much larger. */
function within(offset: number, scale: number, length: number): number {
  return Math.min(length - 1, Math.max(0, Math.floor(length / 2 + (offset + 0.5) / scale)));
}

/** Where a line across the picture meets the outlines, from left to right. */
function crossingsOf(outlines: readonly (readonly Point[])[], y: number): number[] {
  const crossings: number[] = [];
  for (const outline of outlines) {
    let [fromX, fromY] = outline.at(-1)!;
    for (const [toX, toY] of outline) {
      if (fromY <= y !== toY <= y) crossings.push(fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX));
      fromX = toX;
      fromY = toY;
    }
  }
  return crossings.toSorted((one, other) => one - other);
}

/** Adds to every pixel the part of it that lies between two points of its row. */
function cover(coverage: Float32Array, from: number, to: number, weight: number): void {
  const left = Math.max(0, from);
  const right = Math.min(coverage.length, to);
  for (let x = Math.floor(left); x < right; x += 1) {
    coverage[x] = coverage[x]! + (Math.min(right, x + 1) - Math.max(left, x)) * weight;
  }
}
