import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { Runnable } from "@langchain/core/runnables";

/** The class under test, or one that takes its place. */
export type ChatClass = new (...fields: ConstructorParameters<typeof ChatSiliconFlow>) => ChatSiliconFlow;

/**
 * The same model on core's path: `stream` and the loop behind it are core's own, word for word.
 *
 * What is ours in both: the request, the repair of chunks, `_streamResponseChunks`. What core's path therefore lacks is that
 * leaving a loop closes the socket at once; `deliberate.test.ts` names that, and holds both to it.
 */
export class CorePath extends ChatSiliconFlow {
  static {
    named(this);
  }

  override stream(...call: Parameters<ChatSiliconFlow["stream"]>): ReturnType<ChatSiliconFlow["stream"]> {
    // `apply` loses what core's generic types say.
    return Runnable.prototype.stream.apply(this, call) as ReturnType<ChatSiliconFlow["stream"]>;
  }

  override _streamIterator(
    ...call: Parameters<ChatSiliconFlow["_streamIterator"]>
  ): ReturnType<ChatSiliconFlow["_streamIterator"]> {
    return BaseChatModel.prototype._streamIterator.apply(this, call) as ReturnType<ChatSiliconFlow["_streamIterator"]>;
  }
}

/**
 * The same class, but handlers given to `stream` are not passed on: a path may take shortcuts where nobody listens. Done to each
 * model, for a path may look at whether its own methods are still those of the class.
 */
export function unheard(Chat: ChatClass): ChatClass {
  return class extends Chat {
    static {
      named(this);
    }

    constructor(...fields: ConstructorParameters<ChatClass>) {
      super(...fields);
      const { stream } = this;
      type Call = Parameters<ChatSiliconFlow["stream"]>;
      const value = (...[input, options]: Call) => stream.call(this, input, withoutHandlers(options));
      Object.defineProperty(this, "stream", { value, writable: true, configurable: true });
    }
  };
}

function withoutHandlers<T extends { callbacks?: unknown }>(options: T | undefined): T | undefined {
  if (options === undefined) return options;
  const { callbacks: _, ...rest } = options;
  return rest as T;
}

/** Gives a subclass the name of what it stands for: traces tell the name of the class. */
export function named(stand: object): void {
  Object.defineProperty(stand, "name", { value: ChatSiliconFlow.name });
}
