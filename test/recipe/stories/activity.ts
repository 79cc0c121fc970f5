import { performance } from "node:perf_hooks";
import type { Socket } from "socket.io-client";
import { disconnected } from "../../support/browser.ts";
import { upgraded } from "../../support/upgraded.ts";
import type { Application, Story } from "../application.ts";
import { dataOf, type Fate, fateOf, pause } from "../waiting.ts";

/** Of the sessions in these stories. */
export const maxAge = 1_000;

interface Outcome {
  socket: Fate;
  /** What a request finds in the session afterwards. */
  session: unknown;
}

async function connectVisitor(application: Application, transports: string[]) {
  const ada = await application.visitor({ name: "ada" });
  const socket = await ada.connect("/", { transports });
  await upgraded(socket);
  return { ada, socket };
}

/** Nobody does anything until the session's time is over for long. */
export const silence: Story<Outcome> = async (application, transports) => {
  const { ada, socket } = await connectVisitor(application, transports);
  await Promise.race([disconnected(socket), pause(1.5 * maxAge)]);
  return { socket: await fateOf(socket), session: await dataOf(ada) };
};

/** Somebody chats for longer than the session's time. */
export const chat: Story<Outcome> = async (application, transports) => {
  const { ada, socket } = await connectVisitor(application, transports);
  const end = performance.now() + 1.5 * maxAge;
  while (performance.now() < end && (await fateOf(socket)) !== "gone") await pause(20);
  return { socket: await fateOf(socket), session: await dataOf(ada) };
};

/** Nobody does anything, but heartbeats go to and fro. */
export const heartbeats: Story<Outcome> = async (application, transports) => {
  const { ada, socket } = await connectVisitor(application, transports);
  const end = performance.now() + 2 * maxAge;
  let gone = false;
  const isGone = disconnected(socket).then(() => {
    gone = true;
  });
  while (performance.now() < end && !gone) await Promise.race([heartbeat(socket), isGone]);
  return { socket: await fateOf(socket), session: await dataOf(ada) };
};

function heartbeat(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.io.engine.once("heartbeat", () => resolve()));
}
