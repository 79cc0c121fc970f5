import type { EndReasonCode, RefusalCode } from "socket-session/protocol";
import { type FormProblem, limits, type MessageProblem } from "../shared/events.ts";

/** Why the session is over, or the socket was refused: a title and a sentence. */
export interface Words {
  readonly title: string;
  readonly text: string;
}

export const endWords: Record<EndReasonCode, Words> = {
  destroyed: { title: "You are logged out.", text: "It happened in another tab or window of this browser." },
  expired: { title: "Your session has expired.", text: "Nothing came from you for too long." },
  revoked: { title: "Your session was ended.", text: "Whoever runs this chat has ended it." },
  displaced: { title: "You are logged out.", text: "You have logged in elsewhere." },
  replaced: { title: "You have a new session.", text: "The old one is over." },
  unverified: { title: "Your session could not be checked.", text: "Its time seemed over." },
};

export const closedWords: Words = {
  title: "The server has closed the connection.",
  text: "It gave no reason.",
};

const refusalWords: Partial<Record<RefusalCode, Words>> = {
  SESSION_REQUIRED: { title: "You are not logged in.", text: "This chat lets in only those who are." },
  SESSION_INVALID: {
    title: "This browser's cookie is not valid here.",
    text: "It is damaged, or the server's secret has changed. Logging in replaces it.",
  },
  SESSION_ENDED: { title: "Your session is over.", text: "It ended while you were away." },
  TOO_MANY_SOCKETS: {
    title: "You have too many pages open here.",
    text: "Close some of them, and load this one again.",
  },
};

export function wordsForRefusal(code: string): Words {
  const unknown = { title: "The server did not let this page in.", text: `It said ${code}.` };
  return Object.entries(refusalWords).find(([known]) => known === code)?.[1] ?? unknown;
}

export const formWords: Record<FormProblem, string> = {
  nameEmpty: "Please type a name.",
  nameTooLong: `Please choose a shorter name: at most ${limits.nameLength} characters.`,
  nameTaken: "Guests are called that. Please choose another name.",
  notLoggedIn: "You are not logged in any more, so there is no name to change.",
};

export function wordsForMessage(problem: MessageProblem, retryInMs: number | undefined): string {
  if (problem === "tooFast") {
    const seconds = Math.ceil((retryInMs ?? limits.perMs) / 1_000);
    return `That was a lot at once. You can send again in ${countOf(seconds, "second")}.`;
  }
  if (problem === "tooLong")
    return `Please shorten it: a message has at most ${limits.messageLength} characters.`;
  return "Please type a message.";
}

export function countOf(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
