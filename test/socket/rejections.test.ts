/** The response to a refused request, and the pages that may read it. */
import { createServer } from "node:http";
import { io as connect, type Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { listen } from "../support/listen.ts";
import { rawRequest, rawUpgrade } from "../support/raw-client.ts";
import { storeThatFails } from "../support/store-that-fails.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const listed = "https://listed.example";
const corsOnly = "https://cors-only.example";
const foreign = "https://foreign.example";

let world: World;
let isDown: boolean;
let events: { message: string; code: number; context: unknown }[];
beforeEach(() => {
  isDown = false;
  events = [];
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(async () => {
  await world.close();
  vi.restoreAllMocks();
});

async function start(options: WorldOptions = {}): Promise<void> {
  const store = storeThatFails(() => isDown);
  world = await startWorld({ store, origins: [listed], ...options });
  world.io.engine.on("connection_error", ({ message, code, context }) =>
    events.push({ message, code, context }),
  );
}

const handshake = "EIO=4&transport=polling";

/** One request for each refusal that has an HTTP answer. */
const refusals = [
  { code: "STORE_UNAVAILABLE", status: 503, message: "Service Unavailable", number: 4, query: handshake },
  { code: "JSONP_REFUSED", status: 403, message: "Forbidden", number: 4, query: `${handshake}&j=0` },
  { code: "COOKIE_MISMATCH", status: 403, message: "Forbidden", number: 4, query: "", cookie: "sid=other" },
  { code: "COOKIE_MISSING", status: 403, message: "Forbidden", number: 4, query: "", cookie: "" },
] as const;

async function answerTo({ code, query, ...given }: (typeof refusals)[number], origin: string) {
  isDown = false;
  const ada = await world.visitor();
  const { body } = await rawRequest(`${world.url}/socket.io/?${handshake}`, "GET", { cookie: ada.cookie });
  const poll = `${handshake}&sid=${JSON.parse(body.slice(1)).sid}`;
  isDown = code === "STORE_UNAVAILABLE";
  const cookie = "cookie" in given ? given.cookie : ada.cookie;
  const headers = { origin, ...(cookie ? { cookie } : {}) };
  return rawRequest(`${world.url}/socket.io/?${query || poll}`, "GET", headers);
}

describe.each(refusals)("$code", (refusal) => {
  const { code, status, message, number } = refusal;

  test("is in the body, and in the event on the server", async () => {
    await start();
    const answer = await answerTo(refusal, world.url);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    const context = expect.stringMatching(/\w/);
    expect(JSON.parse(answer.body)).toEqual({ code: number, message, context, data: { code } });
    expect(events).toEqual([{ message, code: number, context: { name: code } }]);
  });

  test.each([
    ["with cors, that it lists", { cors: { origin: [corsOnly], credentials: true } }, corsOnly, corsOnly],
    ["with cors, listed by both", { cors: { origin: [listed], credentials: true } }, listed, listed],
    ["with cors, listed nowhere", { cors: { origin: [corsOnly], credentials: true } }, foreign, undefined],
    ["with cors by a function", { cors: { origin: (_o, done) => done(null, corsOnly) } }, corsOnly, corsOnly],
    ["with a later middleware of cors", {}, corsOnly, corsOnly],
  ] as [string, WorldOptions["io"], string, string | undefined][])(
    "can be read by a page %s: %j",
    async (name, io, origin, allowed) => {
      await start({ io: io ?? {} });
      if (name.includes("middleware"))
        world.io.engine.use(
          (_request: unknown, response: { setHeader(...args: string[]): void }, next: () => void) => {
            response.setHeader("Access-Control-Allow-Origin", corsOnly);
            next();
          },
        );
      const { headers, status: answered } = await answerTo(refusal, origin);
      // a page that is not admitted is refused for that, whatever else
      expect(answered).toBe(origin === listed || code === "JSONP_REFUSED" ? status : 403);
      expect(headers["access-control-allow-origin"]).toBe(allowed);
    },
  );
});

describe("a page that `origins` admits but cors does not list,", () => {
  test.each([
    ["a list", [listed]],
    ["a function", async (origin: string) => origin === listed],
  ])("may read refusals: by %s", async (_name, origins) => {
    await start({ origins });
    const [refusal] = refusals;
    const { headers } = await answerTo(refusal, listed);
    expect(headers).toMatchObject({
      "access-control-allow-origin": listed,
      "access-control-allow-credentials": "true",
      vary: "Origin",
    });
    for (const origin of [foreign, "null"]) {
      const { headers } = await answerTo(refusal, origin);
      expect(Object.keys(headers).filter((name) => /^access-control|^vary/.test(name))).toEqual([]);
    }
  });

  test("does not override the headers of cors", async () => {
    await start({ io: { cors: { origin: "https://fixed.example" } } });
    const { headers } = await answerTo(refusals[0], listed);
    expect(headers["access-control-allow-origin"]).toBe("https://fixed.example");
    expect(headers["access-control-allow-credentials"]).toBeUndefined();
    expect(headers.vary).toBe("Origin");
  });

  test("finds Origin named once in Vary", async () => {
    await start({ io: { cors: { origin: [corsOnly] } } });
    world.io.engine.use(
      (_request: unknown, response: { appendHeader(...args: string[]): void }, next: () => void) => {
        response.appendHeader("Vary", "Accept-Encoding");
        next();
      },
    );
    const { headers } = await answerTo(refusals[0], listed);
    expect(headers["access-control-allow-origin"]).toBe(listed);
    expect(headers.vary).toBe("Origin, Accept-Encoding");
  });
});

describe("a middleware of the engine", () => {
  test.each(refusals)("finds no session on a refused request: $code", async (refusal) => {
    await start();
    const seen: unknown[] = [];
    world.io.engine.use((request: { session: object }, _response: unknown, next: () => void) => {
      seen.push({ ...request.session });
      next();
    });
    await answerTo(refusal, world.url);
    expect(seen).toEqual([{ name: "ada" }, {}]); // the handshake, and what is refused
  });

  test.each([
    [
      "that fails",
      (_request: unknown, _response: unknown, next: (error: unknown) => void) => next(new Error("no")),
      503,
    ],
    [
      "that throws",
      () => {
        throw new Error("no");
      },
      503,
    ],
    [
      "that answers by itself",
      (_request: unknown, response: { writeHead(status: number): void; end(): void }) => {
        response.writeHead(429);
        response.end();
      },
      429,
    ],
  ])("%s leaves no refusal unanswered", async (_name, middleware, status) => {
    await start();
    const ada = await world.visitor();
    world.io.engine.use(middleware);
    isDown = true;
    const url = `${world.url}/socket.io/?${handshake}`;
    expect((await rawRequest(url, "GET", { cookie: ada.cookie })).status).toBe(status);
  });
});

describe.each(["writeHead", "end"])(
  "a middleware of the engine whose %s of the response throws",
  (method) => {
    test.each(refusals)("ends the request, and is reported: $code", async (refusal) => {
      await start();
      const breaking = (_request: unknown, response: object, next: () => void) => {
        const fail = () => {
          throw new Error("boom");
        };
        if (isBroken) Object.assign(response, { [method]: fail });
        next();
      };
      let isBroken = false;
      world.io.engine.use(breaking);
      world.io.engine.on("connection_error", () => {
        isBroken = true;
      });
      await expect(answerTo(refusal, world.url)).rejects.toThrow("socket hang up");
      expect(
        world.errors.filter((error) => Reflect.get(Object(error), "code") === "LISTENER_FAILED"),
      ).toEqual([
        expect.objectContaining({
          message: "A middleware of Engine.IO, as a request was refused, failed: Error. See its cause.",
          cause: new Error("boom"),
        }),
      ]);
    });
  },
);

test("a request whose address can't be read is a 400 with its code, and CORS headers", async () => {
  await start({ io: { cors: { origin: [corsOnly] } } });
  const http = createServer((request, response) => {
    request.url = "http://["; // as another framework may hand it on
    world.io.engine.handleRequest(request as never, response);
  });
  const url = await listen(http);
  const { status, body, headers } = await rawRequest(url, "GET", { origin: corsOnly });
  http.close();
  expect([status, headers["access-control-allow-origin"]]).toEqual([400, corsOnly]);
  expect(JSON.parse(body)).toMatchObject({ code: 3, message: "Bad Request", data: { code: "BAD_REQUEST" } });
});

test("an upgrade is refused with its status and body", async () => {
  await start();
  const { cookie } = await world.visitor();
  isDown = true;
  expect(await rawUpgrade(world.url, { cookie })).toBe("HTTP/1.1 503 Service Unavailable");
  isDown = false;
  expect(await rawUpgrade(world.url, { cookie, origin: foreign })).toBe("HTTP/1.1 403 Forbidden");
});

describe("a stock client by polling", () => {
  const attempt = (options: object) =>
    new Promise<{ error: Error & { description?: number }; body: string }>((resolve) => {
      const socket: Socket = connect(world.url, { transports: ["polling"], reconnection: false, ...options });
      socket.once(
        "connect_error",
        (error: Error & { description?: number; context?: { responseText: string } }) => {
          resolve({ error, body: error.context?.responseText ?? "" }); // now: the client aborts the request next
          socket.disconnect();
        },
      );
    });

  test("finds them in disconnect, if a poll without its cookie is refused", async () => {
    await start();
    const ada = await world.visitor();
    const socket = await ada.connect("/", { transports: ["polling"], reconnection: false });
    const found = new Promise((resolve) =>
      socket.once("disconnect", (reason, details) => {
        const { description, context } = details as {
          description?: number;
          context?: { responseText: string };
        };
        resolve([reason, description, JSON.parse(context?.responseText ?? "").data]);
      }),
    );
    ada.cookie = "";
    socket.emit("anything");
    expect(await found).toEqual(["transport error", 403, { code: "COOKIE_MISSING" }]);
  });

  test("finds the status and the code in connect_error", async () => {
    await start();
    const { cookie } = await world.visitor();
    isDown = true;
    const down = await attempt({ extraHeaders: { cookie } });
    expect([down.error.description, JSON.parse(down.body).data]).toEqual([
      503,
      { code: "STORE_UNAVAILABLE" },
    ]);
    const other = await attempt({ extraHeaders: { cookie, origin: foreign } });
    expect([other.error.description, JSON.parse(other.body).data]).toEqual([403, { code: "ORIGIN_REFUSED" }]);
  });
});
