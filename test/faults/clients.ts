/** Stock clients whose connections are watched through a story. */
import type { Socket } from "socket.io-client";
import { expect } from "vitest";
import { type Browser, disconnected, refused } from "../support/browser.ts";
import { transportKinds } from "../support/matrix.ts";
import type { NodeProcess } from "../support/node-process.ts";
import { upgraded } from "../support/upgraded.ts";

/** As fast as the machine is: no story depends on it. */
export const patience = { timeout: 30_000, interval: 20 };

export interface Client {
  readonly socket: Socket;
  /** Resolves with the reason when it is first disconnected. */
  readonly closed: Promise<string>;
  /** What it was told by `session:end`. */
  readonly told: readonly unknown[];
  /** When the node sent what has arrived, by `ticks`: the node's own time. */
  readonly ticks: readonly number[];
}

export async function clientOf(visitor: Browser, transports: readonly string[]): Promise<Client> {
  const socket = visitor.socket("/", { transports: [...transports], reconnectionDelay: 100 });
  const told: unknown[] = [];
  const ticks: number[] = [];
  socket.on("session:end", (end) => told.push(end));
  socket.on("tick", (sentAt: number) => ticks.push(sentAt));
  const closed = disconnected(socket);
  await backAgain(socket); // one that is refused for the moment tries again
  await upgraded(socket);
  return { socket, closed, told, ticks };
}

/** A visitor of one node, and his clients on another by every transport. */
export interface Visitor {
  readonly browser: Browser;
  readonly clients: readonly Client[];
}

export async function visitorOf(home: NodeProcess, elsewhere: NodeProcess, name: string): Promise<Visitor> {
  const browser = await home.visitor({ name });
  const guest = elsewhere.guest(browser);
  const clients = await Promise.all(transportKinds.map(({ transports }) => clientOf(guest, transports)));
  return { browser, clients };
}

/** Logs out; an answer that says otherwise fails the story. */
export async function logout({ browser }: Pick<Visitor, "browser">): Promise<void> {
  expect(await browser.request("/logout", { method: "POST" })).toEqual({ status: 200, body: "out" });
}

export async function expectClosed({ clients }: Visitor): Promise<void> {
  await Promise.all(clients.map(({ closed }) => closed));
}

/** All clients are closed for good, and told why. */
export async function expectDismissed({ clients }: Visitor): Promise<void> {
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(
    clients.map(() => "io server disconnect"),
  );
  expect(clients.flatMap(({ told }) => told)).toEqual(clients.map(() => ({ reason: "destroyed" })));
}

/** The session is over on this node, for requests and sockets. */
export async function expectOver(node: NodeProcess, cookie: string): Promise<void> {
  const old = node.browser();
  old.cookie = cookie;
  await expect.poll(async () => JSON.parse(await old.get("/session")), patience).toMatchObject({ data: {} });
  old.cookie = cookie;
  const socket = old.socket("/", { transports: ["websocket"] });
  await expect.poll(async () => (await refused(socket)).data, patience).toEqual({ code: "SESSION_ENDED" });
  socket.disconnect();
}

/** Nobody has ended the session: its clients answer, or do so again once they are back by themselves. */
export async function expectUnharmed({ clients }: Visitor, data: object): Promise<void> {
  for (const { socket, told } of clients) {
    expect(await ask(socket, "read")).toEqual(data);
    expect(told).toEqual([]);
  }
}

/** Asks again after each disconnection: what was asked before has no answer. Rejects if the client stays away. */
export async function ask(socket: Socket, event: string): Promise<unknown> {
  for (;;) {
    await backAgain(socket);
    try {
      return await socket.emitWithAck(event);
    } catch {
      // Disconnected before the answer: once more.
    }
  }
}

/** Resolves once the client is connected; rejects with the refusal if it stays away. */
export function backAgain(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown) => {
      if (!socket.active) settle(() => reject(error));
    };
    const accept = () => settle(resolve);
    const settle = (end: () => void) => {
      socket.off("connect", accept).off("connect_error", refuse);
      end();
    };
    if (socket.connected) resolve();
    else if (!socket.active) reject(new Error("Expected the client to come back, but it stays away."));
    else socket.on("connect", accept).on("connect_error", refuse);
  });
}

/** Some at a time. */
export async function inTurns<T, R>(all: readonly T[], run: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let done = 0; done < all.length; done += atOnce)
    results.push(...(await Promise.all(all.slice(done, done + atOnce).map(run))));
  return results;
}

const atOnce = 10;
