import { countOf } from "../shared/count-of.ts";
import { type FormProblem, limits, type MessageProblem } from "../shared/events.ts";
import type { SessionSnapshot } from "./session.ts";

/** Why the session is over, or the socket was refused: a title and a sentence. */
export interface Words {
  readonly title: string;
  readonly text: string;
}

/** `message`: what the server was given to say with the end. */
export function wordsForEnd({ reason, message }: SessionSnapshot): Words {
  switch (reason) {
    case "destroyed":
      return {
        title: "You are logged out.",
        text: message ?? "It happened in another tab or window of this browser.",
      };
    case "expired":
      return { title: "Your session has expired.", text: "You were inactive for too long." };
    case "revoked":
      return { title: "You are signed out.", text: message ?? "Another of your devices signed you out." };
    case "displaced":
      return { title: "You are signed out.", text: "You have logged in on too many other devices." };
    default:
      return { title: "The server has closed the connection.", text: "It gave no reason." };
  }
}

const refusalWords: Readonly<Record<string, Words>> = {
  SESSION_INVALID: {
    title: "This browser's cookie is not valid here.",
    text: "It is damaged, or the server's secret has changed. Logging in replaces it.",
  },
  TOO_MANY_SOCKETS: {
    title: "This tab is one too many.",
    text: `A session may have ${limits.tabs} tabs here: close another, and reload this one.`,
  },
  SESSION_ENDED: { title: "Your session is over.", text: "It ended while you were away." },
};

export function wordsForRefusal(code = "no reason"): Words {
  const unknown = { title: "The server did not let this page in.", text: `It said ${code}.` };
  return refusalWords[code] ?? unknown;
}

export const formWords: Record<FormProblem, string> = {
  nameEmpty: "Please type a name.",
  nameTooLong: `Please choose a shorter name: at most ${limits.nameLength} characters.`,
  nameTaken: "Guests are called that. Please choose another name.",
  notLoggedIn: "You are not logged in any more.",
  tooOften: "That was a lot at once. Please wait a minute.",
  gone: "That session is over already.",
};

export const unreachable = "The server could not be reached. Please try again.";

export function wordsForMessage(problem: MessageProblem, retryInMs: number | undefined): string {
  if (problem === "tooFast") {
    const seconds = Math.ceil((retryInMs ?? limits.perMs) / 1_000);
    return `That was a lot at once. You can send again in ${countOf(seconds, "second")}.`;
  }
  if (problem === "tooLong")
    return `Please shorten it: a message has at most ${limits.messageLength} characters.`;
  return "Please type a message.";
}
