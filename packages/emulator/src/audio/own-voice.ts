/** How a letter sounds: two resonances of the mouth in Hz, how much it hums and hisses, and its length. */
interface Sound {
  first: number;
  second: number;
  hum: number;
  hiss: number;
  ms: number;
}

// Letter, two resonances in Hz, hum, hiss, milliseconds.
const letterTable = `
a 730 1090 1 0 110
b 250 900 0.7 0.1 60
c 400 1800 0 0.4 60
d 280 1700 0.7 0.1 60
e 530 1840 1 0 100
f 1200 2600 0 0.25 80
g 260 1300 0.7 0.1 60
h 900 1500 0 0.3 60
i 270 2290 1 0 100
j 280 2200 0.5 0.2 80
k 500 1500 0 0.5 50
l 360 1300 0.8 0 70
m 250 1000 0.7 0 80
n 250 1700 0.7 0 80
o 570 840 1 0 110
p 350 800 0 0.5 50
q 450 1200 0 0.5 60
r 420 1200 0.8 0.05 70
s 2400 3600 0 0.3 90
t 600 2800 0 0.5 50
u 300 870 1 0 110
v 300 1400 0.5 0.15 70
w 300 700 0.8 0 70
x 1900 3000 0 0.35 90
y 300 2100 0.8 0 80
z 260 3000 0.5 0.25 80
`;
const letters = new Map<string, Sound>();
for (const line of letterTable.trim().split("\n")) {
  const [letter, first, second, hum, hiss, ms] = line.split(" ");
  letters.set(letter!, { first: +first!, second: +second!, hum: +hum!, hiss: +hiss!, ms: +ms! });
}

const consonants = [..."bcdfghjklmnprstvwxz"];
const vowels = [..."aeiou"];

/**
 * Speaks a text letter by letter, as a mouth that knows no language might: other words sound otherwise, the same ones the
 * same. @param pitch in Hz @param rate samples in a second
 */
export function ownVoice(text: string, pitch: number, speed: number, rate: number): Float32Array {
  const sounds = [...text.normalize("NFKD").toLowerCase()].flatMap(soundsOf);
  const lengths = sounds.map(({ ms }) => Math.round((ms * rate) / 1000 / speed));
  const samples = new Float32Array(lengths.reduce((sum, length) => sum + length, 0));
  const edge = rate / 150;
  const [first, second] = [new Resonance(rate), new Resonance(rate)];
  let noise = 1;
  let phase = 0;
  let at = 0;
  sounds.forEach((sound, index) => {
    const length = lengths[index]!;
    first.tune(sound.first, 90);
    second.tune(sound.second, 140);
    for (let i = 0; i < length; i += 1, at += 1) {
      noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) | 0;
      // A sentence falls a little from its beginning to its end.
      phase += (pitch * (1.1 - 0.2 * (at / samples.length))) / rate;
      const beat = phase >= 1 ? 1 : 0;
      phase -= beat;
      const source = sound.hum * beat + (sound.hiss * noise) / 2 ** 33;
      const swell = Math.min(1, i / edge, (length - i) / edge);
      samples[at] = swell * (first.pass(source) + 0.8 * second.pass(source));
    }
  });
  return samples;
}

function soundsOf(character: string): Sound[] {
  const letter = letters.get(character);
  if (letter) return [letter];
  if (/\p{M}/u.test(character)) return [];
  if (/[\p{L}\p{N}]/u.test(character)) {
    // An ideograph, or a letter of another script: a syllable of its own, as far as there are enough.
    const point = character.codePointAt(0)!;
    const vowel = vowels[Math.floor(point / consonants.length) % vowels.length]!;
    return [letters.get(consonants[point % consonants.length]!)!, letters.get(vowel)!];
  }
  return [silence(/[.!?。！？\n]/.test(character) ? 250 : /[,;:、，；：]/.test(character) ? 140 : 50)];
}

function silence(ms: number): Sound {
  return { first: 500, second: 1500, hum: 0, hiss: 0, ms };
}

/** Lets one frequency through and those around it. */
class Resonance {
  readonly #rate: number;
  #gain = 0;
  #one = 0;
  #two = 0;
  #last = 0;
  #before = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  tune(hertz: number, width: number): void {
    const radius = Math.exp((-Math.PI * width) / this.#rate);
    this.#one = 2 * radius * Math.cos((2 * Math.PI * hertz) / this.#rate);
    this.#two = -radius * radius;
    // As loud at its own frequency, whether that is high or low.
    this.#gain = 2 * (1 - radius) * Math.sin((2 * Math.PI * hertz) / this.#rate);
  }

  pass(value: number): number {
    const passed = this.#gain * value + this.#one * this.#last + this.#two * this.#before;
    this.#before = this.#last;
    this.#last = passed;
    return passed;
  }
}
