/** Polling over HTTP/2, where `:authority` replaces `Host`, and no header is about the connection. */
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { type LiveSessions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { settle } from "../support/manual-clock.ts";
import { secret } from "../support/world.ts";

const fixture = (name: string) => readFileSync(new URL(`../docs/fixtures/${name}`, import.meta.url));
const foreign = "https://foreign.example";

let sessions: LiveSessions;
let io: Server;
let client: ClientHttp2Session;
let authority: string;
let cookie: string;
let mayConnect: (origin: string) => boolean | Promise<boolean>;
let warned: unknown[];

beforeEach(async () => {
  mayConnect = () => false;
  warned = [];
  vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warned.push(warning));
  sessions = liveSessions({
    store: memoryStore(),
    secret,
    name: "sid",
    origins: (origin) => mayConnect(origin),
  });
  const http = createSecureServer({
    key: fixture("localhost.key"),
    cert: fixture("localhost.pem"),
    allowHTTP1: true,
  });
  io = new Server(http as never);
  sessions.attach(io);
  io.on("connection", (socket) => socket.on("read", (done) => done(socket.session.data)));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  authority = `localhost:${(http.address() as AddressInfo).port}`;
  client = connect(`https://${authority}`, { ca: fixture("localhost.pem") });
  client.on("error", () => {});
  cookie = await signIn(sessions, { name: "ada" });
});
afterEach(async () => {
  client.destroy();
  await io.close();
  await sessions.close();
  vi.restoreAllMocks();
});

interface Answer {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function send(headers: Record<string, string>, sid = "", body?: string): Promise<Answer> {
  const path = `/socket.io/?EIO=4&transport=polling${sid && `&sid=${sid}`}`;
  const stream = client.request({ ":path": path, ":method": body ? "POST" : "GET", ...headers });
  return new Promise((resolve, reject) => {
    let received: Record<string, unknown> = {};
    let text = "";
    stream.setEncoding("utf8");
    stream.on("response", (given) => {
      received = given;
    });
    stream.on("data", (chunk) => {
      text += chunk;
    });
    stream.on("end", () => resolve({ headers: received, body: text }));
    stream.on("error", reject);
    stream.end(body);
  });
}

test("a page of the server's own origin has its session", async () => {
  const own = { cookie, origin: `https://${authority}` };
  const { body } = await send(own);
  const { sid } = JSON.parse(body.slice(1));
  await send(own, sid, "40");
  expect((await send(own, sid)).body).toMatch(/^40/);
  await send(own, sid, '420["read"]');
  expect((await send(own, sid)).body).toBe('430[{"name":"ada"}]');
  expect(sessions.stats().refused.ORIGIN_REFUSED).toBe(0);
});

describe("a page of another origin", () => {
  test.each([foreign, "https://localhost", "null", `http://localhost:1`])(
    "is refused, and answered: %s",
    async (origin) => {
      const { headers, body } = await send({ cookie, origin });
      expect([headers[":status"], headers["content-type"]]).toEqual([403, "application/json"]);
      expect(headers).not.toHaveProperty("connection");
      expect(JSON.parse(body).data).toEqual({ code: "ORIGIN_REFUSED" });
      expect(sessions.stats().refused.ORIGIN_REFUSED).toBe(1);
      expect(warned).toEqual([expect.stringMatching(/was refused \(ORIGIN_REFUSED\)/)]); // and nothing of Node's
    },
  );

  test("is recognised by :authority, also in the warning and the event", async () => {
    const hosts: unknown[] = [];
    sessions.on("refuse", ({ host, origin }) => hosts.push([host, origin]));
    await send({ cookie, origin: foreign });
    expect(hosts).toEqual([[authority, foreign]]);
    expect(warned[0]).toContain(`which is https://${authority} by the :authority header`);
  });

  test("may read the response to other refusals, if it is admitted", async () => {
    mayConnect = () => true;
    const { body } = await send({ cookie, origin: foreign });
    const { sid } = JSON.parse(body.slice(1));
    const { headers, body: refusal } = await send({ origin: foreign }, sid);
    expect(JSON.parse(refusal).data).toEqual({ code: "COOKIE_MISSING" });
    expect(headers).toMatchObject({ ":status": 403, "access-control-allow-origin": foreign, vary: "Origin" });
  });

  test("is cut off if a middleware makes the response fail", async () => {
    const errors: unknown[] = [];
    sessions.on("error", ({ code, cause }) => errors.push([code, cause]));
    io.engine.use((_request: unknown, response: object, next: () => void) => {
      const end = () => {
        throw new Error("boom");
      };
      Object.assign(response, { end });
      next();
    });
    await send({ cookie, origin: foreign }).catch(() => {});
    expect(errors).toEqual([["LISTENER_FAILED", new Error("boom")]]);
  });

  test("may not send a proxy's headers: its preflight is refused", async () => {
    const preflight = { ":method": "OPTIONS", "access-control-request-headers": "x-forwarded-host" };
    const { headers } = await send({ ...preflight, origin: foreign });
    expect([headers[":status"], warned]).toEqual([403, []]);
  });

  test("leaves nothing behind if it goes away while the application decides", async () => {
    const given = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    mayConnect = () => {
      asked.resolve();
      return given.promise;
    };
    const closed = new Promise((resolve) =>
      io.httpServer.once("request", (_request, response) => response.once("close", resolve)),
    );
    void send({ cookie, origin: foreign }).catch(() => {});
    await asked.promise;
    client.destroy();
    await closed;
    given.resolve(true);
    await settle();
    expect([sessions.stats().live, io.engine.clientsCount]).toEqual([0, 0]);
  });
});
