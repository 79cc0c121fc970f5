import type { Socket } from "socket.io-client";
import { type Browser, disconnected } from "../../support/browser.ts";
import { upgraded } from "../../support/upgraded.ts";
import type { Application, Story } from "../application.ts";
import { dataOf, type Fate, fateOf, pause } from "../waiting.ts";

/** Of the sessions in these stories: long enough for a slow machine to log in, connect and upgrade. */
export const maxAge = 3_000;

interface Outcome {
  /** Whether the server closed the socket while the story waited. */
  closed: boolean;
  /** What a request finds in the session then. */
  session: unknown;
  socket: Fate;
}

async function connectVisitor(application: Application, transports: string[]) {
  const ada = await application.visitor({ name: "ada" });
  const socket = await ada.connect("/", { transports, reconnection: false });
  await upgraded(socket);
  return { ada, socket };
}

/** Nobody does anything until the session's time is over for long. */
export const silence: Story<Outcome> = async (application, transports) => {
  const { ada, socket } = await connectVisitor(application, transports);
  await Promise.race([disconnected(socket), pause(2 * maxAge)]);
  return outcome(ada, socket);
};

/** Somebody chats for longer than the session's time. */
export const chat: Story<Outcome> = async (application, transports) => {
  const { ada, socket } = await connectVisitor(application, transports);
  const end = performance.now() + 1.5 * maxAge;
  while (performance.now() < end && (await fateOf(socket)) !== "gone") await pause(20);
  return outcome(ada, socket);
};

/** Nobody does anything, but heartbeats go to and fro. */
export const heartbeats: Story<Outcome> = async (application, transports) => {
  const { ada, socket } = await connectVisitor(application, transports);
  const end = performance.now() + 2 * maxAge;
  const gone = disconnected(socket);
  while (performance.now() < end && socket.connected) await Promise.race([heartbeat(socket), gone]);
  return outcome(ada, socket);
};

async function outcome(visitor: Browser, socket: Socket): Promise<Outcome> {
  const closed = !socket.connected;
  // The request first: the recipe's polls may bring an expired session back when they carry an answer.
  const session = await dataOf(visitor);
  return { closed, session, socket: await fateOf(socket) };
}

function heartbeat(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.io.engine.once("heartbeat", () => resolve()));
}
