/** A reply of Redis: nested lists of texts and numbers. */
export type Reply = string | number | null | readonly Reply[];

/** The server answered with an error, whose message begins with its code. Any other error is a lost connection. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}
