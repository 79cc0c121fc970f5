import { expect, test } from "vitest";
import { compile } from "../docs/compile.ts";

/** What an application writes: it compiles, but for the lines that are marked. */
const application = `
import { io, type Socket } from "socket.io-client";
import { type PageSocket, type SessionClient, type SessionSnapshot, sessionClient, ticketAuth } from "socket-session/client";
import type { StateMessage, WithSession } from "socket-session/protocol";

interface ServerToClient { message(text: string, at: number): void }
interface ClientToServer { say(text: string, done: (ok: boolean) => void): void }

const untyped: Socket = io();
const typed: Socket<ServerToClient, ClientToServer> = io();
const withSession: Socket<WithSession<ServerToClient, { name: string }>, ClientToServer> = io({ auth: ticketAuth("/session/ticket") });
const silent: Socket<Record<string, never>, Record<string, never>> = io();

sessionClient(untyped);
sessionClient(typed);
sessionClient(silent);
sessionClient(withSession.io.socket("/admin"));
const session: SessionClient<{ name: string }> = sessionClient<{ name: string }>(withSession, { routes: "/session", warnMs: 1 });

const snapshot: SessionSnapshot<{ name: string }> = session.getSnapshot();
const name: string | undefined = snapshot.data?.name;
const unknown: unknown = sessionClient(untyped).getSnapshot().data;
session.on("change", ({ data }) => data?.name.trim());
session.on("expiring", (leftMs) => leftMs.toFixed());
session.on("forbidden", ({ code, room }) => code + room);
const { getSnapshot, subscribe, on, loggedIn, loggedOut, stay, close } = session;
const state = async (): Promise<SessionSnapshot["state"]> => (await loggedIn()).state;
withSession.on("session:state", (message: StateMessage<{ name: string }>) => message.state);
withSession.on("session:end", ({ reason }) => reason);
withSession.on("message", (text, at) => text.repeat(at));
export const all = [name, unknown, getSnapshot, subscribe, on, loggedOut, stay, close, state];
export const own = (socket: PageSocket) => sessionClient(socket);
ticketAuth("/session/ticket", { fetch: async (url, init) => fetch(url, { ...init, headers: { "x-csrf": "1" } }) });

// @ts-expect-error: there is no such event
session.on("ended", () => {});
// @ts-expect-error: a snapshot is read-only
snapshot.state = "live";
// @ts-expect-error: no socket
sessionClient(io);
// @ts-expect-error: a number
sessionClient(untyped, { warnMs: "60s" });
`;

test("any socket of the stock client fits, typed or untyped", { timeout: 60_000 }, async () => {
  expect(await compile([{ name: "application", line: 1, extension: "ts", code: application }])).toEqual([]);
});
