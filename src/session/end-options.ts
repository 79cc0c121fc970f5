/** Checks of the arguments by which sessions are ended; all throw `INVALID_OPTION`. */
import type { SessionEndOptions } from "../api.ts";
import { checkPlainOptions, invalid, invalidChoice, refuseCallback } from "../base/arguments.ts";

/** The options of `sessions.end()`. */
export interface EndSessionOptions {
  /** Words for the page: 1 to 200 characters. */
  message?: string;
  /** Resolve to a receipt: which nodes have closed the sockets. Default: false. */
  receipt?: boolean;
}

type Given = SessionEndOptions["reason"] | SessionEndOptions;

/** The text has to fit into the messages of all feeds. */
const maxMessageLength = 200;

/** The argument of `session.end()`: a reason, or options. */
export function endOptionsOf(
  given: Given,
  rest: readonly unknown[],
): SessionEndOptions & Required<Pick<SessionEndOptions, "reason">> {
  const method = "session.end()";
  refuseCallback(method, [given, ...rest]);
  if (typeof given === "object") checkPlainOptions(method, given, ["reason", "message"]);
  const { reason = "destroyed", message } = typeof given === "object" ? given : { reason: given };
  if (reason !== "destroyed" && reason !== "revoked") {
    const expected = `${method} expects the reason "destroyed" or "revoked"`;
    throw invalidChoice(
      expected,
      reason,
      'Leave it out for "destroyed"; it returns a promise, and takes no callback.',
    );
  }
  return { reason, ...messageOf(method, message) };
}

export function endSessionOptionsOf(
  method: string,
  given: EndSessionOptions,
): Pick<EndSessionOptions, "message"> & { receipt: boolean } {
  checkPlainOptions(method, given, ["message", "receipt"]);
  const { message, receipt = false } = given;
  if (typeof receipt !== "boolean") {
    const cure = "Leave it out to learn only whether a session was ended.";
    throw invalid(`${method} expects \`receipt\` to be true or false`, receipt, cure);
  }
  return { ...messageOf(method, message), receipt };
}

/** The words for the page, if there are any. */
export function messageOf(method: string, message: unknown): { message?: string } {
  if (message === undefined) return {};
  const isShort = typeof message === "string" && message !== "" && message.length <= maxMessageLength;
  if (isShort && message.isWellFormed()) return { message };
  throw invalid(
    `${method} expects a \`message\` of 1 to ${maxMessageLength} characters, without halves of one`,
    message,
    "Say in a sentence why the session ends, or leave it out.",
  );
}
