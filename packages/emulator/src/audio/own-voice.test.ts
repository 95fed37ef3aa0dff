import { expect, test } from "vitest";
import { ownVoice } from "./own-voice.js";
import { quantize, resample, stretch } from "./samples.js";

const rate = 16_000;

/** How loud each of eight bands is, a hundred times a second: what an ear tells words apart by, in short. */
function spectra(samples: Float32Array): number[][] {
  const frames = Math.floor((samples.length * 100) / rate);
  return Array.from({ length: frames }, (_, frame) => {
    const bands = [200, 350, 550, 800, 1200, 1800, 2500, 3500].map((hertz) => {
      let [real, imaginary] = [0, 0];
      samples.subarray((frame * rate) / 100, ((frame + 1) * rate) / 100).forEach((value, at) => {
        real += value * Math.cos((2 * Math.PI * hertz * at) / rate);
        imaginary += value * Math.sin((2 * Math.PI * hertz * at) / rate);
      });
      return Math.hypot(real, imaginary);
    });
    const total = Math.hypot(...bands) || 1;
    return bands.map((band) => band / total);
  });
}

/** 1 for the same sounds at the same times. */
function likeness(one: number[][], two: number[][]): number {
  const frames = one.map((bands, at) => bands.reduce((sum, band, index) => sum + band * (two[at]?.[index] ?? 0), 0));
  return frames.reduce((sum, alike) => sum + alike, 0) / Math.max(one.length, two.length);
}

test("other words are less like a word than the word in another voice, in every script", () => {
  for (const [one, two] of [
    ["moon", "sissy"],
    ["aaa", "iii"],
    ["你好", "世界"],
    ["один", "три"],
    ["1", "2"],
  ] as const) {
    const [first, second] = [ownVoice(one, 120, 1, rate), ownVoice(two, 120, 1, rate)];
    const higher = likeness(spectra(first), spectra(ownVoice(one, 130, 1, rate)));
    expect(likeness(spectra(first), spectra(second)), `${one} and ${two}`).toBeLessThan(higher - 0.1);
  }
});

test("the same words sound the same, higher voices otherwise", () => {
  const low = ownVoice("Good night.", 100, 1, rate);
  expect(ownVoice("Good night.", 100, 1, rate)).toEqual(low);
  expect(ownVoice("Good night.", 200, 1, rate)).not.toEqual(low);
});

test("every sample is a number, at every rate, speed and for any text", () => {
  for (const hertz of [8000, 48_000]) {
    for (const speed of [0.25, 4]) {
      const samples = ownVoice("Ça va? \u{1f389}\ud800 123 ŝ 한국어", 228, speed, hertz);
      expect(samples.length).toBeGreaterThan(0);
      expect(samples.every((value) => Number.isFinite(value) && Math.abs(value) < 4)).toBe(true);
    }
  }
});

const tone = (hertz: number, rate: number) =>
  Float32Array.from({ length: rate }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hertz * at) / rate));
const crossings = (samples: Float32Array) =>
  samples.reduce((count, value, at) => count + (at > 0 && samples[at - 1]! < 0 && value >= 0 ? 1 : 0), 0);
const power = (samples: Float32Array) =>
  Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

test("another rate keeps the pitch, and drops what it cannot carry", () => {
  const low = resample(tone(440, 22_050), 22_050, 8000);
  expect(low).toHaveLength(8000);
  expect(Math.abs(crossings(low) - 440)).toBeLessThan(3);
  expect(power(low)).toBeCloseTo(0.5 / Math.SQRT2, 2);
  expect(power(resample(tone(6000, 22_050), 22_050, 8000))).toBeLessThan(0.01);
});

test.each([0.25, 0.5, 1, 1.7, 4])("at speed %d the time changes and the pitch does not", (speed) => {
  const stretched = stretch(tone(200, 22_050), 22_050, speed);
  expect(stretched).toHaveLength(Math.round(22_050 / speed));
  expect(Math.abs((crossings(stretched) * speed) / 200 - 1)).toBeLessThan(0.05);
  expect(power(stretched.subarray(1000, -1000))).toBeCloseTo(0.5 / Math.SQRT2, 1);
});

test("gain is in decibels, and what is too loud is cut", () => {
  const loudest = (gain: number) => Math.max(...quantize(tone(100, 8000), gain));
  expect(loudest(0)).toBe(8192);
  expect(loudest(10) / loudest(-10)).toBeCloseTo(10, 1);
  expect(loudest(40)).toBe(32_767);
  expect(quantize(new Float32Array(3), 10)).toEqual(new Int16Array(3));
});
