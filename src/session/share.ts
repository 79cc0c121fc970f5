/** What pages receive of their session: its state, with the part of its data that the application shares: `attach(io, { share })`. */
import type { LiveSession } from "../api.ts";
import { refusal } from "../base/arguments.ts";
import { listenerFailed, type SocketSessionError } from "../base/errors.ts";
import { cookieLifeMs, leftMs } from "../data/life-time.ts";
import { lossIn } from "../data/lost-in-json.ts";
import type { StateMessage } from "../protocol.ts";
import type { CookieDocument } from "../session-store.ts";
import { AsyncAnswer, dataFunction } from "./data-function.ts";

type Data = LiveSession["data"];

const what = "`share` of sessions.attach(io, options)";
const cure = "Write share: (data) => ({ name: data.name }), with what the page may know.";

/** An application's function that chooses what a page may know of its session's data. */
export class Share {
  readonly #share: (data: Data) => unknown;
  readonly #report: (error: SocketSessionError) => void;

  /** Throws `INVALID_OPTION`. */
  constructor(fn: unknown, report: (error: unknown) => void) {
    this.#report = report;
    this.#share = dataFunction({
      fn,
      expected: `${what} expects a function of the session's data`,
      cure,
      cureOfAsync: "It is asked at each change: keep in the session what the page is to know.",
      report,
    });
  }

  /** As JSON, undefined for nothing. Never throws: what the function throws, or returns and JSON can't hold, is reported. */
  textOf(data: Data): string | undefined {
    try {
      return jsonOf(this.#share(data));
    } catch (error) {
      const cause = error instanceof AsyncAnswer ? error.refused : error;
      this.#report(listenerFailed("The `share` function, so that nothing was shared,", cause));
      return undefined;
    }
  }
}

function jsonOf(shared: unknown): string | undefined {
  const text: string | undefined = JSON.stringify(shared);
  const loss = lossIn(shared, (text ?? "").length + 1);
  if (!loss) return text;
  const [, lost] = loss;
  throw refusal(`${what} expects to return what JSON can hold`, `or held ${lost}`, cure);
}

interface Told {
  readonly expiresAt: number;
  readonly cookie: CookieDocument;
}

/** `shared`: as `Share.textOf` returns it. */
export function liveState(
  { publicId }: { readonly publicId: string },
  { expiresAt, cookie }: Told,
  now: number,
  shared: string | undefined,
): StateMessage {
  const cookieMs = cookieLifeMs(cookie);
  return {
    state: "live",
    publicId,
    leftMs: leftMs(expiresAt, now),
    ...(cookieMs === undefined ? {} : { cookieMs }),
    ...(shared === undefined ? {} : { data: JSON.parse(shared) }),
  };
}
