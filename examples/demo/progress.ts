/** What is done so far, or all there is to do. */
export interface Amount {
  files: number;
  /** Left out while files are only read. */
  chunks?: number;
}

/** Shows how far a job is: a bar on a terminal, a line now and then elsewhere. Always on stderr. */
export class Progress {
  readonly #verb: string;
  readonly #total: Amount;
  /** Chunks that needed no work: they must not make the speed look better than it is. */
  readonly #head: number;
  readonly #out: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #shownAt: number;
  #shown = false;
  #last: Amount;
  readonly #clock: NodeJS.Timeout | undefined;

  constructor(verb: string, total: Amount, alreadyDone = 0, out: NodeJS.WriteStream = process.stderr) {
    this.#verb = verb;
    this.#total = total;
    this.#head = alreadyDone;
    this.#out = out;
    this.#shownAt = this.#startedAt;
    this.#last = { files: 0, chunks: alreadyDone };
    // Between two batches there is time in which nothing arrives: the bar shows then, too, that something goes on.
    const somethingToDo = alreadyDone !== total.chunks;
    this.#clock = out.isTTY && somethingToDo ? setInterval(() => this.#show(), 500).unref() : undefined;
  }

  update(done: Amount): void {
    this.#last = done;
    const now = performance.now();
    // What takes no time needs no bar; what is written to a log needs few lines.
    if (now - this.#shownAt < (this.#out.isTTY ? 80 : 2000)) return;
    this.#shownAt = now;
    this.#show();
  }

  /** Leaves the last state on the screen, if any was shown; that files were read goes without saying. */
  end(): void {
    clearInterval(this.#clock);
    if (!this.#shown) return;
    if (this.#total.chunks !== undefined) {
      this.#show();
      if (this.#out.isTTY) this.#out.write("\n");
    } else if (this.#out.isTTY) {
      this.#out.write("\r\u001B[2K");
    }
  }

  #show(): void {
    this.#shown = true;
    let line = this.#describe();
    if (!this.#out.isTTY) {
      this.#out.write(`${line}\n`);
      return;
    }
    const width = this.#out.columns || 80;
    // Where it is narrow, the bar says more than the verb; what is done stands in the line above.
    if (width - line.length < 12) line = line.replace(`${this.#verb} `, "");
    // Few sizes, so that it does not grow and shrink with each digit.
    const room = [24, 12, 8].find((size) => size <= width - line.length - 4) ?? 0;
    const filled = Math.round(room * this.#fraction());
    const bar = room > 0 ? `▕${"█".repeat(filled)}${"░".repeat(room - filled)}▏ ` : "";
    // Cut rather than wrapped: a wrapped line could not be drawn over.
    this.#out.write(`\r\u001B[2K${(bar + line).slice(0, width - 1)}`);
  }

  #fraction(): number {
    const { files, chunks } = this.#total;
    return chunks === undefined
      ? this.#last.files / Math.max(1, files)
      : (this.#last.chunks ?? 0) / Math.max(1, chunks);
  }

  #describe(): string {
    const { files, chunks = 0 } = this.#last;
    const parts = [`${this.#verb} ${files}/${this.#total.files} files`];
    if (this.#total.chunks !== undefined) {
      const seconds = (performance.now() - this.#startedAt) / 1000;
      const perSecond = (chunks - this.#head) / Math.max(seconds, 0.001);
      const left = this.#total.chunks - chunks;
      parts.push(`${chunks}/${this.#total.chunks} chunks`);
      if (perSecond > 0) parts.push(`${perSecond.toFixed(perSecond < 10 ? 1 : 0)} chunks/s`);
      if (perSecond > 0 && left > 0) parts.push(`${duration(left / perSecond)} left`);
    }
    return parts.join(" · ");
  }
}

/** `"4 s"`, `"3 min 20 s"`. */
function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
