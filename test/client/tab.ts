import { type SessionClientOptions, sessionClient } from "socket-session/client";
import { onTestFinished, vi } from "vitest";
import { FakeBrowser } from "./fake-browser.ts";
import { FakeRoutes } from "./fake-routes.ts";
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
const pageTime = ["setTimeout", "clearTimeout", "Date", "performance"] as const;

/** A browser of its own for each test, with fake time and fake routes. */
export function fakePage(): { readonly browser: FakeBrowser; readonly routes: FakeRoutes } {
  vi.useFakeTimers({ toFake: [...pageTime] });
  const browser = new FakeBrowser();
  browser.install();
  return { browser, routes: new FakeRoutes() };
}

export function removePage(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
}
