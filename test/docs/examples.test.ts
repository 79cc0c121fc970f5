/** The programs of the guides: shown as they are, and doing what the guides say. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Browser, connected, disconnected, refused } from "../support/browser.ts";
import { withoutLines } from "./diffs.ts";
import { documentAt, root } from "./markdown.ts";
import { type Running, runExample } from "./run-example.ts";

let running: Running | undefined;
const browsers: Browser[] = [];
afterEach(() => {
  for (const browser of browsers.splice(0)) browser.close();
  running?.close();
  running = undefined;
});

const examples = "docs/guide/examples";

async function start(file: string): Promise<Browser> {
  running = await runExample(`${examples}/${file}`);
  return browser();
}

function browser(): Browser {
  const one = new Browser(running?.url ?? "");
  browsers.push(one);
  return one;
}

const heard = (socket: Socket, event: string) =>
  new Promise<unknown>((resolve) => socket.once(event, (message) => resolve(message)));

const textOf = (file: string) => readFileSync(join(root, examples, file), "utf8").trimEnd();

describe.each(["5", "4"])("the page of devices, on Express %s", (version) => {
  beforeEach(() => {
    vi.resetModules();
    if (version === "4") vi.doMock("express", () => import("express4"));
  });
  afterEach(() => {
    vi.doUnmock("express");
  });

  test("is in the guide as it is, and its wrapper for Express 4 in getting started", () => {
    const text = textOf("devices.ts");
    expect(documentAt("docs/guide/devices.md").blocks.map(({ code }) => code)).toContain(text);
    const wrapper = text.slice(text.indexOf("type Route"), text.indexOf("app.post")).trimEnd();
    const shown = documentAt("docs/guide/getting-started.md")
      .blocks.map(({ code }) => code)
      .join("\n");
    expect(shown).toContain(wrapper);
  });

  test("lists the devices of a user, ends one, and ends all others", async () => {
    const one = await start("devices.ts");
    const login = (who: Browser, name: string, device: string) =>
      who.request(`/login/${name}`, { method: "POST", headers: { "user-agent": device } });
    const devices = async () => JSON.parse(await one.get("/devices"));
    const [two, three, eve, stranger] = [browser(), browser(), browser(), browser()];
    await login(one, "ada", "laptop");
    await login(two, "ada", "phone");
    await login(three, "ada", "tablet");
    await login(eve, "eve", "laptop");
    const phone = await two.connect();
    const own = await one.connect();
    const listed: { publicId: string; device: string; isThis: boolean }[] = await devices();
    expect(listed.map(({ device, isThis }) => [device, isThis]).sort()).toEqual([
      ["laptop", true],
      ["phone", false],
      ["tablet", false],
    ]);
    const phoneId = listed.find(({ device }) => device === "phone")?.publicId ?? "";
    const end = (who: Browser) => who.request(`/devices/${phoneId}/end`, { method: "POST" });
    expect((await end(eve)).status).toBe(404);
    expect((await end(stranger)).status).toBe(401);
    expect((await stranger.request("/devices")).status).toBe(401);
    const gone = disconnected(phone);
    expect((await end(one)).status).toBe(204);
    expect(await gone).toBe("io server disconnect");
    expect((await end(one)).status).toBe(404);
    expect(JSON.parse(await one.post("/devices/end-others"))).toEqual({ ended: 1 });
    expect((await devices()).map(({ device }: { device: string }) => device)).toEqual(["laptop"]);
    expect(own.connected).toBe(true);
    expect(JSON.parse(await eve.get("/devices"))).toHaveLength(1);
  });

  test("answers what an async route rejects with, and goes on", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {}); // Express logs what it answers
    const { UserSessions } = await import("../../src/user-sessions.ts");
    const one = await start("devices.ts");
    await one.post("/login/ada");
    const list = vi.spyOn(UserSessions.prototype, "list").mockRejectedValue(new Error("down"));
    expect((await one.request("/devices")).status).toBe(500);
    list.mockRestore();
    expect((await one.request("/devices")).status).toBe(200);
    vi.restoreAllMocks();
  });
});

describe("events that a client has missed", () => {
  beforeEach(() => {
    vi.resetModules();
  });

  test("is in the guide as it is", () => {
    const { blocks } = documentAt("docs/guide/recovery.md");
    expect(blocks.map(({ code }) => code)).toContain(textOf("recovery.ts"));
  });

  test.each(["polling", "websocket"])(
    "go to the session that missed them, and not to the next one in the tab, by %s",
    async (transport) => {
      const tab = await start("recovery.ts");
      const publisher = browser();
      await tab.post("/login/ada");
      const socket = await tab.connect("/", { transports: [transport], reconnection: false });
      const news: unknown[] = [];
      socket.on("news", (text) => news.push(text));
      expect(await socket.emitWithAck("name")).toBe("ada");
      await publisher.post("/news/first");
      await expect.poll(() => news).toEqual(["first"]);
      const reconnectAfter = async (...paths: string[]) => {
        const gone = disconnected(socket);
        socket.io.engine.close();
        await gone;
        for (const path of paths) await tab.post(path);
        const back = connected(socket);
        socket.connect();
        await back;
        return socket.emitWithAck("name");
      };
      expect(await reconnectAfter("/news/missed")).toBe("ada");
      expect([socket.recovered, news]).toEqual([true, ["first", "missed"]]);
      expect(await reconnectAfter("/login/eve", "/news/ada's")).toBe("eve");
      expect([socket.recovered, news]).toEqual([false, ["first", "missed"]]);
    },
  );
});

describe("the audit log", () => {
  beforeEach(() => {
    vi.resetModules();
  });

  test("is in the guide as it is", () => {
    const { blocks } = documentAt("docs/guide/audit-log.md");
    expect(blocks.map(({ code }) => code)).toContain(textOf("audit-log.ts"));
  });

  test("has each login, each end and each refusal of a user, once", async () => {
    const ada = await start("audit-log.ts");
    expect((await ada.request("/activity")).status).toBe(401);
    await ada.post("/login/ada");
    const socket = await ada.connect();
    const gone = disconnected(socket);
    await ada.post("/logout");
    expect(await gone).toBe("io server disconnect");
    expect((await refused(ada.socket())).data).toEqual({ code: "SESSION_REQUIRED" });
    await ada.post("/login/ada");
    expect((await ada.request("/admin/users?token=secret")).status).toBe(403);
    const rows: { type: string; detail: string | null; place: string | null; caused_by: string }[] =
      JSON.parse(await ada.get("/activity"));
    expect(rows[0]).toMatchObject({ type: "forbidden", detail: "NOT_ADMIN", place: "/admin/users" });
    expect(rows.slice(1).map(({ type, detail, caused_by }) => [type, detail, caused_by])).toEqual([
      ["login", null, "request"],
      ["created", null, "request"],
      ["ended", "destroyed", "request"],
      ["login", null, "request"],
      ["created", null, "request"],
    ]);
  });
});

describe("visitors and staff on two paths", () => {
  beforeEach(() => {
    vi.resetModules();
  });

  test("is in the guide as it is", () => {
    const guide = documentAt("docs/guide/sessions-and-sockets.md");
    expect(guide.blocks.map(({ code }) => code)).toContain(textOf("visitors-and-staff.ts"));
  });

  test.each(["polling", "websocket"])(
    "each has its own session, and ends alone, by %s",
    async (transport) => {
      const transports = [transport];
      const ada = await start("visitors-and-staff.ts");
      await ada.post("/name/ada");
      await ada.post("/staff/login/boss");
      const path = "/staff/socket.io";
      const visitor = await ada.connect("/", { transports });
      const staff = await ada.connect("/", { transports, path });
      const question = heard(staff, "question");
      visitor.emit("ask", "open?");
      expect(await question).toEqual({ name: "ada", text: "open?" });
      const answer = heard(visitor, "answer");
      staff.emit("answer", "yes");
      expect(await answer).toEqual({ name: "boss", text: "yes" });
      const gone = disconnected(staff);
      await ada.post("/staff/logout");
      expect(await gone).toBe("io server disconnect");
      expect(visitor.connected).toBe(true);
      const eve = browser();
      await eve.post("/name/eve");
      expect((await refused(eve.socket("/", { transports, path }))).data).toEqual({
        code: "SESSION_REQUIRED",
      });
      await eve.connect("/", { transports });
    },
  );
});

describe("the guide from the recipe", () => {
  const guide = documentAt("docs/guide/from-the-recipe.md");

  test.each(["from-recipe.ts", "from-shared-session.ts", "from-passport-socketio.ts"])(
    "has a diff that leads to %s",
    (file) => {
      const diffs = guide.blocks.filter(({ language }) => language === "diff");
      for (const { code, line } of diffs)
        for (const [index, text] of code.split("\n").entries())
          expect(text, `line ${line + index} of the guide`).toMatch(/^[-+ ]|^$/);
      expect(diffs.map(({ code }) => withoutLines("-", code))).toContain(textOf(file));
    },
  );

  test("after the recipe: counts in requests and sockets, tells the tabs of the session, closes at the logout", async () => {
    const ada = await start("from-recipe.ts");
    await ada.get("/");
    const socket = await ada.connect();
    const eve = browser();
    await eve.get("/");
    const other = await eve.connect();
    const overheard: unknown[] = [];
    other.on("count", (count) => overheard.push(count));
    const told = heard(socket, "count");
    expect(await ada.post("/incr")).toBe("1");
    expect(await told).toBe(1);
    const counts = await Promise.all([
      ...Array.from({ length: 20 }, () => socket.emitWithAck("incr")),
      ...Array.from({ length: 20 }, async () => Number(await ada.post("/incr"))),
    ]);
    expect(Math.max(...counts)).toBe(41);
    const gone = disconnected(socket);
    await ada.post("/logout");
    expect(await gone).toBe("io server disconnect");
    expect(await other.emitWithAck("incr")).toBe(1);
    expect(overheard).toEqual([]);
  });

  test("after express-socket.io-session: guests, a login that is a request, and a logout from a socket", async () => {
    const ada = await start("from-shared-session.ts");
    await ada.connect(); // a guest
    await ada.post("/login/ada");
    const socket = await ada.connect();
    expect(await socket.emitWithAck("theme", "dark")).toEqual({ name: "ada", theme: "dark" });
    const gone = disconnected(socket);
    socket.emit("logout");
    expect(await gone).toBe("io server disconnect");
  });

  test("after passport.socketio: the socket has Passport's user, follows its changes, and closes at the logout", async () => {
    const ada = await start("from-passport-socketio.ts");
    expect((await ada.request("/login/nobody", { method: "POST" })).status).toBe(401);
    expect(JSON.parse(await ada.post("/login/ada"))).toEqual({ id: "ada", name: "Ada" });
    const socket = await ada.connect();
    expect(await socket.emitWithAck("who am I")).toBe("Ada");
    await ada.post("/rename/Lovelace");
    await expect.poll(() => socket.emitWithAck("who am I")).toBe("Lovelace");
    const { cookie } = ada;
    const gone = disconnected(socket);
    await ada.post("/logout");
    expect(await gone).toBe("io server disconnect");
    expect(socket.active).toBe(false);
    expect((await refused(ada.socket())).data).toEqual({ code: "LOGIN_REQUIRED" }); // a session, and nobody's
    ada.cookie = cookie;
    expect((await refused(ada.socket())).data).toEqual({ code: "SESSION_ENDED" });
  });
});
