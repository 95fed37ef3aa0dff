import type { Clock } from "./clock.js";
import { encodeFilm } from "./pictures/film.js";
import type { Size } from "./image-request.js";
import type { GivenPicture } from "./looking.js";
import type { Quirks } from "./quirks.js";
import type { Outputs } from "./outputs.js";
import { sceneOf } from "./pictures/scene.js";

// The service says nothing of how long it takes; these are short enough to wait for.
const queuedMs = 2000;
const workMs = 4000;

/** What a film is made from. */
export interface VideoOrder {
  model: string;
  prompt: string;
  seed: number;
  size: Size;
  given: GivenPicture[];
}

/** How far a job has come. */
export type VideoState =
  | { status: "InQueue" | "InProgress" }
  | { status: "Failed"; reason: string }
  | { status: "Succeed"; url: string; seed: number; inference: number };

interface Job {
  order: VideoOrder;
  submittedAt: number;
  /** Begun when somebody asks after the job has left the queue. */
  link: Promise<string> | undefined;
}

/** Films in the making, on the emulator's clock: two seconds in the queue, four at work. */
export class VideoJobs {
  readonly #clock: Clock;
  readonly #outputs: Outputs;
  readonly #quirks: Pick<Required<Quirks>, "videoOutcome" | "videoLife">;
  readonly #jobs = new Map<string, Job>();

  constructor(clock: Clock, outputs: Outputs, quirks: Pick<Required<Quirks>, "videoOutcome" | "videoLife">) {
    this.#clock = clock;
    this.#outputs = outputs;
    this.#quirks = quirks;
  }

  submit(id: string, order: VideoOrder): void {
    this.#jobs.set(id, { order, submittedAt: this.#clock.now(), link: undefined });
  }

  /** How far a job has come; undefined for one that was never submitted. */
  async state(id: string): Promise<VideoState | undefined> {
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
    const age = this.#clock.now() - job.submittedAt;
    if (age < queuedMs) return { status: "InQueue" };
    const fails = this.#quirks.videoOutcome === "fail";
    if (!fails) job.link ??= this.#make(id, job);
    if (age < queuedMs + workMs) return { status: "InProgress" };
    if (fails) return { status: "Failed", reason: "The emulator was told to fail." };
    return { status: "Succeed", url: await job.link!, seed: job.order.seed, inference: workMs / 1000 };
  }

  clear(): void {
    this.#jobs.clear();
  }

  #make(id: string, job: Job): Promise<string> {
    const { size, given, ...order } = job.order;
    const scene = sceneOf({ ...order, index: 0 });
    const pictures = given.map(({ picture }) => picture);
    const note = { ...order, from: given.map(({ shows }) => shows) };
    const link = encodeFilm(scene, size, pictures, note).then((bytes) => {
      const lifeMs = this.#quirks.videoLife === "10 minutes" ? 600_000 : 3_600_000;
      const endsAt = job.submittedAt + queuedMs + workMs + lifeMs;
      return this.#outputs.add(`${id}.mp4`, "video/mp4", bytes, endsAt - this.#clock.now());
    });
    // Whoever asks for the result hears of a failure; nobody may have asked yet.
    link.catch(() => undefined);
    return link;
  }
}
