import { termsOf } from "./terms.js";

// Two features that share one place are told apart by the other. More copies help little and cost time.
const copies = 2;

/** What decides a vector beside its text. */
export interface VectorSpace {
  model: string;
  seed: number;
  dimensions: number;
}

/**
 * The lexical embedding of one text: a unit vector, near to those of texts that share words, parts of words, or
 * ideographs. It depends on nothing but the text and the space, so it can be computed anywhere and any time.
 *
 * Every feature of the text is added, with a sign, at two places that its hash decides (feature hashing). How much it adds
 * grows with the logarithm of how often it occurs and with how much such a feature tells.
 */
export function lexicalVector(text: string, space: VectorSpace): Float32Array {
  const vector = new Float32Array(space.dimensions);
  const salt = hash(`${space.model}\n${space.dimensions}`, space.seed ^ 0x811c_9dc5);
  for (const [feature, { weight, count }] of featuresOf(text)) {
    const value = weight * (1 + Math.log(count));
    let bits = salt;
    for (let copy = 0; copy < copies; copy++) {
      bits = hash(feature, bits);
      vector[bits % space.dimensions]! += bits & 0x8000_0000 ? -value : value;
    }
  }
  return unitLength(vector, salt);
}

function featuresOf(text: string): Map<string, { weight: number; count: number }> {
  const features = new Map<string, { weight: number; count: number }>();
  const add = (name: string, weight: number) => {
    const known = features.get(name);
    if (known) known.count += 1;
    else features.set(name, { weight, count: 1 });
  };
  for (const term of termsOf(text)) {
    add(term.text, term.weight);
    // Parts of longer words: "aeroelastic" and "aerodynamic" are not strangers.
    if (term.text.length < 6 || term.weight < 0.4) continue;
    add(`${term.text.slice(0, 5)}-`, 0.25 * term.weight);
  }
  return features;
}

function unitLength(vector: Float32Array, salt: number): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  // A text without a letter or digit still has a direction: all such texts share one.
  if (square === 0) {
    vector[salt % vector.length] = 1;
    return vector;
  }
  const scale = 1 / Math.sqrt(square);
  // Eight decimals are all a client sees of a number; rounding here lets both encodings say the same.
  for (let place = 0; place < vector.length; place++) vector[place] = Math.round(vector[place]! * scale * 1e8) / 1e8;
  return vector;
}

/** FNV-1a over UTF-16 units with a final mix, 32 bits. */
function hash(text: string, seed: number): number {
  let bits = seed | 0;
  for (let index = 0; index < text.length; index++) bits = Math.imul(bits ^ text.charCodeAt(index), 0x0100_0193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
