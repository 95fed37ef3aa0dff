/** The same sound with another number of samples in a second. */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const result = new Float32Array(Math.round((samples.length * to) / from));
  // What the new rate cannot carry has to go, or it would come back as whistling.
  const cut = Math.min(1, to / from);
  const reach = Math.ceil(8 / cut);
  // New samples lie between old ones at few distances, again and again: each has its weights once.
  const phases = to / commonDivisor(from, to);
  const weights = Array.from({ length: phases }, (_, phase) => {
    const between = ((phase * from) % to) / to;
    return Float32Array.from({ length: 2 * reach }, (_, tap) => {
      const distance = tap - reach + 1 - between;
      return cut * sinc(cut * distance) * (0.5 + 0.5 * Math.cos((Math.PI * distance) / reach));
    });
  });
  for (let i = 0; i < result.length; i += 1) {
    const first = Math.floor((i * from) / to) - reach + 1;
    const weight = weights[i % phases]!;
    const end = Math.min(2 * reach, samples.length - first);
    let sum = 0;
    for (let tap = Math.max(0, -first); tap < end; tap += 1) sum += samples[first + tap]! * weight[tap]!;
    result[i] = sum;
  }
  return result;
}

function commonDivisor(one: number, two: number): number {
  return two === 0 ? one : commonDivisor(two, one % two);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The same sound at the same pitch in another time: overlapping pieces, each where it fits the one before best. */
export function stretch(samples: Float32Array, rate: number, speed: number): Float32Array {
  const hop = Math.round(rate / 80);
  if (speed === 1 || samples.length < 4 * hop) return samples;
  const result = new Float32Array(Math.round(samples.length / speed) + 2 * hop);
  let read = 0;
  for (let write = 0; write + 2 * hop <= result.length; write += hop) {
    const wanted = Math.round(write * speed);
    // The piece after the last one would fit perfectly; near the wanted place, the one most like it fits best.
    const from = write === 0 ? 0 : mostAlike(samples, read + hop, wanted, hop);
    for (let i = 0; i < 2 * hop && from + i < samples.length; i += 1) {
      result[write + i]! += samples[from + i]! * (0.5 - 0.5 * Math.cos((Math.PI * i) / hop));
    }
    read = from;
  }
  return result.subarray(0, Math.round(samples.length / speed));
}

function mostAlike(samples: Float32Array, model: number, around: number, hop: number): number {
  let best = around;
  let most = -Infinity;
  const last = samples.length - 2 * hop;
  for (let from = Math.max(0, around - hop / 2); from <= Math.min(last, around + hop / 2); from += 4) {
    let alike = 0;
    for (let i = 0; i < hop && model + i < samples.length; i += 4) {
      alike += samples[Math.floor(from) + i]! * samples[model + i]!;
    }
    if (alike > most) [best, most] = [Math.floor(from), alike];
  }
  return best;
}

/** Sounds one after the other. */
export function join(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Samples of 16 bits, the loudest of them at -12 dB and `gain` dB above that; what is too loud is cut. */
export function quantize(samples: Float32Array, gain: number): Int16Array<ArrayBuffer> {
  const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const factor = (2 ** 13 / loudest) * 10 ** (gain / 20);
  const result = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) {
    result[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[i]! * factor)));
  }
  return result;
}
