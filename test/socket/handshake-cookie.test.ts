/** `guests: "create"`: the cookie that a handshake sets is the one that `express-session` would set for a request. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SessionOptions } from "express-session";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Answer, rawHandshake } from "../support/raw-handshake.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
const answers: Answer[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const { close } of answers.splice(0)) close();
  await world.close();
});

const transports = ["polling", "websocket"] as const;

async function start(options: WorldOptions = {}) {
  world = await startWorld({ guests: "create", ...options });
}

async function handshake(
  transport: (typeof transports)[number],
  headers: Record<string, string> = {},
  revision?: 3 | 4,
) {
  const answer = await rawHandshake(world.url, transport, headers, revision);
  answers.push(answer);
  return answer;
}

/** A cookie's attributes, without its value; two that are set within seconds of each other are the same. */
const attributesOf = (line = "") =>
  line
    .split("; ")
    .slice(1)
    .map((one) =>
      one.startsWith("Expires=")
        ? `Expires in ${Math.round((Date.parse(one.slice(8)) - Date.now()) / 60_000)} min`
        : one,
    );

const custom = (cookie: object) => ({ cookie }) as WorldOptions;
const byHost = (({ headers }) => ({
  domain: headers.host ? "by-function.example" : "",
  maxAge: 90_000_000,
})) as SessionOptions["cookie"];

describe.each(transports)("by %s", (transport) => {
  test.each<[string, WorldOptions, Record<string, string>]>([
    ["by default", {}, {}],
    ["with maxAge", custom({ maxAge: 3_600_000 }), {}],
    ["with a date", custom({ expires: new Date(Date.now() + 7_200_000) }), {}],
    ["with a domain", custom({ domain: "app.example", httpOnly: false }), {}],
    ["with the newer ones", custom({ sameSite: "strict", priority: "high", partitioned: true }), {}],
    ["with all automatic, over plain HTTP", custom({ secure: "auto", sameSite: "auto" }), {}],
    [
      "with secure by a trusted proxy",
      { ...custom({ secure: true }), proxy: true },
      { "x-forwarded-proto": "https" },
    ],
    [
      "with all automatic by a trusted proxy",
      { ...custom({ secure: "auto", sameSite: "auto" }), proxy: true },
      { "x-forwarded-proto": "https" },
    ],
    ["by a function of the request", { cookie: byHost }, {}],
  ])("has the attributes of a request's cookie: %s", async (_name, options, headers) => {
    await start({ ...options, saveUninitialized: true });
    const response = await fetch(new URL("/session", world.url), { headers });
    const { status, cookies } = await handshake(transport, headers);
    expect(status).toBe(transport === "polling" ? 200 : 101);
    expect(cookies.map(attributesOf)).toEqual(response.headers.getSetCookie().map(attributesOf));
    expect(cookies).toHaveLength(1);
    expect(cookies[0]?.split(".")[0]).toMatch(/^sid=s%3A[\w-]{32}$/);
  });

  test("has the application's name and first secret, and its genid's id", async () => {
    const asked: unknown[] = [];
    const genid = (request: IncomingMessage) =>
      `made-for-${asked.push(request.url)}-${request.headers["x-name"]}`;
    await start({ name: "custom.sid", secret: [secret, "the secret before that one, as long"], genid });
    const { cookies } = await handshake(transport, { "x-name": "ada" });
    expect(cookies[0]).toMatch(/^custom\.sid=s%3Amade-for-1-ada\./);
    expect(asked).toEqual([expect.stringContaining("/socket.io/")]);
    const jar = world.browser();
    jar.cookie = cookies[0]?.split(";")[0] ?? "";
    expect((await handshake(transport, { cookie: jar.cookie })).cookies).toEqual([]);
  });

  test.each(["string", "array"] as const)(
    "comes beside the application's cookies, given as %s",
    async (form) => {
      const own = (name: string) =>
        form === "string" ? `${name}=1; Path=/` : [`${name}=1`, `${name}-2=2; Path=/`];
      await start({ io: { cookie: { name: "io" } } });
      world.io.engine.use((_request: IncomingMessage, response: ServerResponse, next: () => void) => {
        response.setHeader("Set-Cookie", own("middleware"));
        next();
      });
      world.io.engine.on("initial_headers", (headers: Record<string, unknown>) => {
        headers["set-cookie"] = own("initial");
      });
      world.io.engine.on("headers", (headers: Record<string, unknown>) => {
        headers["SET-COOKIE"] = own("always");
      });
      const { cookies } = await handshake(transport);
      const names = (form === "string" ? [""] : ["", "-2"]).flatMap((end) =>
        ["always", "initial", "middleware"].map((name) => name + end),
      );
      if (transport === "polling") names.push("io"); // Engine.IO sets its own for polling only
      expect(cookies.map((line) => line.split("=")[0]).sort()).toEqual([...names, "sid"].sort());
      expect(cookies).toContain(form === "string" ? "initial=1; Path=/" : "initial-2=2; Path=/");
      expect(cookies.join("\n")).not.toContain(",");
    },
  );

  test("is set for clients of the older revision of Engine.IO's protocol", async () => {
    await start({ io: { allowEIO3: true } });
    expect((await handshake(transport, {}, 3)).cookies[0]).toMatch(/^sid=/);
  });

  test("is not set where it must be secure and the request is not: a warning says so, once", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    await start({ cookie: { secure: true } });
    for (const _ of [1, 2]) expect((await handshake(transport)).cookies).toEqual([]);
    expect(world.io.engine.clientsCount).toBe(2);
    const codes = warned.mock.calls.map(([, options]) => Reflect.get(Object(options), "code"));
    expect(codes.filter((code) => code === "SOCKET_SESSION_INSECURE_COOKIE")).toHaveLength(1);
  });

  test.each([
    ["/", 1],
    ["/socket.io", 1],
    ["/socket", 0],
    ["/app", 0],
  ])(
    "is set only where its path, such as %s, covers the handshake: else it would replace the path's own cookie",
    async (path, count) => {
      await start({ cookie: () => ({ path }) });
      const { cookies } = await handshake(transport);
      expect(cookies.map(attributesOf)).toEqual(Array(count).fill([`Path=${path}`, "HttpOnly"]));
    },
  );

  test("is not set for a page of another origin, nor for a damaged cookie; it is for a listed origin", async () => {
    await start({ origins: ["https://listed.example"] });
    const other = await handshake(transport, { origin: "https://other.example" });
    expect([other.status, other.cookies]).toEqual([403, []]);
    expect((await handshake(transport, { cookie: "sid=s%3Aforged.signature" })).cookies).toEqual([]);
    expect(world.sessions.stats().connections).toBe(0);
    const listed = await handshake(transport, { origin: "https://listed.example" });
    expect(listed.cookies).toHaveLength(1);
  });

  test("is not set for whoever comes with an id that a login has just replaced: that response sets one", async () => {
    await start();
    const ada = await world.visitor();
    const { cookie } = ada;
    await ada.post("/login", { name: "ada" });
    expect((await handshake(transport, { cookie })).cookies).toEqual([]);
    expect(world.io.engine.clientsCount).toBe(1);
    await ada.post("/logout");
    expect((await handshake(transport, { cookie: ada.cookie })).cookies).toHaveLength(1);
  });

  test("needs functions that work: what they throw is reported, and the client is not let in", async () => {
    await start({
      genid: ({ headers }) => {
        if (headers["x-name"] === "throws") throw new Error("no id");
        return headers["x-name"] as string;
      },
    });
    expect(await handshake(transport, { "x-name": "throws" })).toMatchObject({ status: 400, cookies: [] });
    expect(await handshake(transport)).toMatchObject({ status: 400, cookies: [] });
    expect(await handshake(transport, { "x-name": "ada" })).toMatchObject({
      cookies: [expect.stringMatching(/^sid=/)],
    });
    expect(await handshake(transport, { "x-name": "ada" })).toMatchObject({ status: 400, cookies: [] }); // in use
    expect(world.errors).toHaveLength(3);
    expect(String(world.errors[1])).toContain("`genid` returned undefined");
    expect([world.io.engine.clientsCount, world.sessions.stats().live]).toEqual([1, 0]);
  });
});
