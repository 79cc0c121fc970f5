import type { IncomingMessage } from "node:http";
import createDebug from "debug";
import type { LiveSessionsEvents } from "./api.ts";
import type { ResolvedOptions } from "./options/options.ts";
import { type RefusalCode, refusals } from "./protocol.ts";
import { addressOf } from "./socket/origin.ts";
import { OriginWarnings, shownHost, shownOrigin } from "./warnings/origins.ts";
import { warn } from "./warnings/start-checks.ts";

const debug = createDebug("socket-session");

type Refusal = LiveSessionsEvents["refuse"][0];

/** Clients that were not admitted: counted by code, and described for the `refuse` event. */
export class Refusals {
  readonly #options: ResolvedOptions;
  readonly #warnings: OriginWarnings;
  readonly #counts = Object.fromEntries(Object.keys(refusals).map((code) => [code, 0])) as Record<
    RefusalCode,
    number
  >;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#warnings = new OriginWarnings(options);
  }

  get counts(): Readonly<Record<RefusalCode, number>> {
    return { ...this.#counts };
  }

  /** `cause`: the error that prevented the check, if any. */
  add(code: RefusalCode, request: IncomingMessage | undefined, cause: unknown): Refusal {
    this.#counts[code]++;
    const address = request?.socket.remoteAddress;
    const origin = request?.headers.origin;
    const host = request && addressOf(request, this.#options.trustProxy).host;
    debug("refused %s: %s, origin %s, host %s", address, code, shownOrigin(origin), shownHost(host));
    return { code, address, origin, host, ...(cause === undefined ? {} : { cause }) };
  }

  /** To be called after the `refuse` event was emitted. */
  warn(code: RefusalCode, request: IncomingMessage | undefined): void {
    if (code === "ORIGIN_REFUSED" && request) warn(this.#warnings.of(request));
  }
}
