import { NotFoundError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import type { Transport } from "../transport.js";
import { unwrapped } from "../wrapped.js";
import type { Traced } from "./chat-wire.js";

/** The account that the key belongs to. Amounts are texts, as on the wire. */
export interface AccountInfo extends Traced {
  /** Of the account. */
  id?: string;
  /** `""` since June 2025, as are `image` and `email`. */
  name?: string;
  image?: string;
  email?: string;
  isAdmin?: boolean;
  /** What was given, and is left. */
  balance?: string;
  /** `"normal"`. */
  status?: string;
  introduction?: string;
  role?: string;
  /** What was paid in, and is left. */
  chargeBalance?: string;
  /** Both together. */
  totalBalance?: string;
  [field: string]: unknown;
}

/** `/user/info`. */
export class Account {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Balance and state of the account. The service no longer lists this page: be ready to do without it.
   *
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const { totalBalance } = await client.account.info();
   * console.log(totalBalance);
   * ```
   *
   * @throws {@link NotFoundError} when the service has it no more.
   * @see https://docs.siliconflow.cn/cn/api-reference/userinfo/get-user-info
   */
  async info(options?: RequestOptions): Promise<AccountInfo> {
    const call = { method: "GET", path: "/user/info", stream: false, options } as const;
    try {
      return await this.#transport.send(
        call,
        unwrapped<AccountInfo>((value) => value["id"] !== undefined || value["totalBalance"] !== undefined),
      );
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      const { status, code, traceId, attempts, reason } = error;
      throw new NotFoundError(
        `${status} This site does not tell about accounts: the service no longer promises this page. Balance and usage are shown on its own pages.`,
        { status, code, traceId, attempts, reason, cause: error },
      );
    }
  }
}
