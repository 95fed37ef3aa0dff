import { systemClock, type Clock } from "./deadline.js";
import type { ResolvedOptions } from "./options.js";
import { Assets } from "./resources/assets.js";
import { Account } from "./resources/account.js";
import { Batches } from "./resources/batches.js";
import { Chat } from "./resources/chat.js";
import { Completions } from "./resources/completions.js";
import { Embeddings } from "./resources/embeddings.js";
import { Files } from "./resources/files.js";
import { Images } from "./resources/images.js";
import { Messages } from "./resources/messages.js";
import { Models } from "./resources/models.js";
import { Rerank } from "./resources/rerank.js";
import { Speech } from "./resources/speech.js";
import { Transcriptions } from "./resources/transcriptions.js";
import { Videos } from "./resources/videos.js";
import { Voices } from "./resources/voices.js";
import { Transport } from "./transport.js";
import type { Wire } from "./wire.js";

/** What both clients are, whatever carries their requests: one transport, and one field for each endpoint. */
export class Client {
  /** Root of the API, without a slash at its end. */
  readonly baseURL: string;
  /** Answers of a chat model, whole or streamed. */
  readonly chat: Chat;
  /** Text that continues a text, or fills its gap. */
  readonly completions: Completions;
  /** Chat in the shape of Anthropic's API. */
  readonly messages: Messages;
  /** Vectors of texts. */
  readonly embeddings: Embeddings;
  /** Scores of documents for a query. */
  readonly rerank: Rerank;
  /** Pictures from words, and from other pictures. */
  readonly images: Images;
  /** Sound from words, whole or as it comes. */
  readonly speech: Speech;
  /** Words from sound. */
  readonly transcriptions: Transcriptions;
  /** Voices of one's own to speak with. */
  readonly voices: Voices;
  /** Films from words, or from a picture. */
  readonly videos: Videos;
  /** Files that batches read. */
  readonly files: Files;
  /** Many chat requests at half the price, within hours. */
  readonly batches: Batches;
  /** What the site hosts. */
  readonly models: Models;
  /** The files that links in answers lead to. */
  readonly assets: Assets;
  /** Whose key it is. */
  readonly account: Account;
  readonly #transport: Transport;

  protected constructor(options: ResolvedOptions, wire: Wire, clock: Clock = systemClock) {
    const transport = new Transport(options, wire, clock);
    this.baseURL = options.baseURL;
    this.chat = new Chat(transport);
    this.completions = new Completions(transport);
    this.messages = new Messages(transport);
    this.embeddings = new Embeddings(transport);
    this.rerank = new Rerank(transport);
    this.images = new Images(transport);
    this.speech = new Speech(transport);
    this.transcriptions = new Transcriptions(transport);
    this.voices = new Voices(transport);
    this.videos = new Videos(transport);
    this.files = new Files(transport);
    this.batches = new Batches(transport);
    this.models = new Models(transport);
    this.assets = new Assets(transport, wire, clock);
    this.account = new Account(transport);
    this.#transport = transport;
  }

  /** Closes all sockets. Calls that are under way fail, and so does every later one. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** The address only: options may hold secrets. */
  toJSON(): { baseURL: string } {
    return { baseURL: this.baseURL };
  }

  /** What `console.log` shows. The symbol's name rather than `node:util`, which not every runtime has. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `SiliconFlowClient { baseURL: ${JSON.stringify(this.baseURL)} }`;
  }
}
