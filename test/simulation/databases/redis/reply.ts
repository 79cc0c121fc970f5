/** What a Redis answers: nested lists of texts and numbers. */
export type Reply = string | number | null | readonly Reply[];

/** The server has answered, with an error; its message begins with its code. Else the connection was lost. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}
