import { type SessionClientOptions, sessionClient } from "socket-session/client";
import { onTestFinished } from "vitest";
import { FakeSocket } from "./fake-socket.ts";

/** A page with a socket and a client, and the states that it went through. */
export function openTab(options: SessionClientOptions = {}, socket = new FakeSocket()) {
  const session = sessionClient<{ name: string }>(socket, options);
  const states: string[] = [session.getSnapshot().state];
  session.on("change", ({ state }) => states.push(state));
  onTestFinished(session.close);
  return { session, socket, states };
}

/** Lets what is due come to rest: promises, microtasks, answers of a fake server. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Faked in all tests of the client: the time of the page. */
export const pageTime = { toFake: ["setTimeout", "clearTimeout", "Date", "performance"] } as const;
