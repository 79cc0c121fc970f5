import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { limits } from "../shared/events.ts";
import { isNamed, startChat } from "./visitors.ts";

let chat: Awaited<ReturnType<typeof startChat>>;
beforeEach(async () => {
  chat = await startChat();
});
afterEach(() => chat.close());

describe("logging in", () => {
  test("gives the visitor's messages their name, in a session of a new id", async () => {
    const ada = chat.visitor();
    expect(await ada.post("/login", { name: "  Ada \n Lovelace " })).toBe("303 /");
    const before = ada.cookie;
    expect(await ada.post("/login", { name: "Ada" })).toBe("303 /");
    expect(ada.cookie).not.toBe(before);
    const tab = await ada.open();
    expect(await tab.say(" Hello ")).toEqual({ ok: true });
    expect(await tab.until("message")).toMatchObject({ name: "Ada", text: "Hello" });
  });

  test("sets a cookie that scripts can't read and other sites' posts don't carry", async () => {
    const response = await chat
      .visitor()
      .request("/login", { method: "POST", body: new URLSearchParams({ name: "Ada" }) });
    expect(response.headers.get("set-cookie")).toMatch(/^sid=s%3A[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  test("is answered once the session is stored, so that the page that follows finds it", async () => {
    const store = memoryStore();
    const order: string[] = [];
    const { create } = store;
    store.create = async (...args) => {
      await chat.visitor().post("/logout"); // a round trip, in which an answer would arrive
      const revision = await create.apply(store, args);
      order.push("stored");
      return revision;
    };
    await chat.close();
    chat = await startChat({ store });
    await chat.visitor().request("/login", { method: "POST", body: new URLSearchParams({ name: "Ada" }) });
    order.push("answered");
    expect(order).toEqual(["stored", "answered"]);
  });

  test("over a session that has tabs open brings them over by themselves", async () => {
    const ada = await chat.member("Ada");
    const tab = await ada.open();
    await ada.post("/login", { name: "Countess" });
    expect(await tab.until("session:state", isNamed("Countess"))).toBeDefined();
  });

  test.each([
    ["no name", {}, "nameEmpty"],
    ["spaces", { name: " \t\u200b " }, "nameEmpty"],
    ["too long a name", { name: "x".repeat(limits.nameLength + 1) }, "nameTooLong"],
    ["the name of guests", { name: "Guest" }, "nameTaken"],
    ["the name of guests in wide letters", { name: "ｇｕｅｓｔ" }, "nameTaken"],
  ])("with %s says what is wrong", async (_what, fields, problem) => {
    const visitor = chat.visitor();
    expect(await visitor.post("/login", fields)).toBe(`303 /?form=login&problem=${problem}`);
    expect(visitor.cookie).toBe("");
    const body = new URLSearchParams(fields);
    const response = await visitor.request("/login", {
      method: "POST",
      body,
      headers: { accept: "application/json" },
    });
    expect([response.status, await response.json()]).toEqual([422, { ok: false, problem }]);
  });
});

describe("renaming", () => {
  test("shows in the very next message of a tab that is open, and in everybody's list", async () => {
    const ada = await chat.member("Ada");
    const [tab, other] = [await ada.open(), await chat.visitor().open()];
    const message = other.until("message");
    const here = other.until("here", ({ people }) => people[0]?.name === "Countess");
    expect(await ada.post("/rename", { name: "Countess" })).toBe("303 /");
    await tab.say("It's me.");
    expect(await message).toMatchObject({ name: "Countess" });
    expect(await here).toMatchObject({ guests: 1 });
  });

  test("is for those who have logged in", async () => {
    const headers = { accept: "application/json" };
    expect(await chat.visitor().post("/rename", { name: "Ada" })).toBe(
      "303 /?form=rename&problem=notLoggedIn",
    );
    expect(await chat.visitor().post("/rename", { name: "Ada" }, headers)).toBe("401");
  });
});

describe("the end of a session", () => {
  test("by logout reaches every tab with its reason, and its cookie makes a guest", async () => {
    const ada = await chat.member("Ada");
    const { cookie } = ada;
    const tabs = [await ada.open(), await ada.open()];
    expect(await ada.post("/logout")).toBe("303 /");
    for (const tab of tabs) expect(await tab.until("session:end")).toEqual({ reason: "destroyed" });
    ada.cookie = cookie;
    expect(await (await ada.open()).until("here")).toEqual({ people: [], guests: 1 });
  });

  test("by expiry comes half an hour after the last activity, of which the tabs are told", async () => {
    const tab = await (await chat.member("Ada")).open();
    await chat.clock.advance(20 * 60_000);
    await tab.say("Still here.");
    expect(await tab.until("session:state")).toMatchObject({ state: "live", leftMs: 30 * 60_000 });
    await chat.clock.advance(29 * 60_000);
    expect(tab.socket.connected).toBe(true);
    await chat.clock.advance(60_000);
    expect(await tab.until("session:end")).toEqual({ reason: "expired" });
  });
});

describe("a form that another site sends", () => {
  const headersOfOthers: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://other.localhost" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ];

  test.each(headersOfOthers)("is refused: %j", async (headers) => {
    const ada = await chat.member("Ada");
    const tab = await ada.open();
    const actions = ["/devices/end-others", "/try/revoke", "/try/short", "/try/admin"];
    for (const path of ["/login", "/rename", "/logout", ...actions]) {
      expect(await ada.post(path, { name: "Mallory" }, headers)).toBe("403");
    }
    await tab.say("Still me.");
    expect(await tab.until("message")).toMatchObject({ name: "Ada" });
  });

  test("is told from one of the chat's own", async () => {
    const visitor = chat.visitor();
    expect(await visitor.post("/login", { name: "Ada" }, { "sec-fetch-site": "same-origin" })).toBe("303 /");
    const origin = new URL((await visitor.request("/")).url).origin;
    expect(await visitor.post("/login", { name: "Ada" }, { origin })).toBe("303 /");
  });
});

describe("messages", () => {
  test("of guests carry the name of guest", async () => {
    const [guest, other] = [await chat.visitor().open(), await chat.visitor().open()];
    await guest.say("May I?");
    expect(await other.until("message")).toMatchObject({
      author: `guest ${guest.socket.id}`,
      name: "guest",
      text: "May I?",
    });
  });

  test("that were missed come with the connection, the last of them", async () => {
    const ada = await chat.member("Ada");
    const tab = await ada.open();
    for (let n = 0; n <= limits.history; n++) {
      await tab.say(`message ${n}`);
      await chat.clock.advance(limits.perMs);
    }
    const history = await (await chat.visitor().open()).until("history");
    expect(history).toHaveLength(limits.history);
    expect(history.at(-1)).toMatchObject({ name: "Ada", text: `message ${limits.history}` });
  });

  test.each([
    ["without text", " \n ", "empty"],
    ["longer than allowed", "x".repeat(limits.messageLength + 1), "tooLong"],
  ])("%s are not taken, and the answer says why", async (_what, text, problem) => {
    expect(await (await chat.visitor().open()).say(text)).toEqual({ ok: false, problem });
  });

  test("that are no text, or want no answer, do no harm", async () => {
    const { socket } = await chat.visitor().open();
    expect(await Reflect.apply(socket.emitWithAck, socket, ["message", { toString: 1 }])).toEqual({
      ok: false,
      problem: "notText",
    });
    Reflect.apply(socket.emit, socket, ["message", "no answer, please"]);
    expect(await socket.emitWithAck("message", "Still there?")).toEqual({ ok: true });
  });

  test("are limited for each session, whatever its tabs, and go on after a while", async () => {
    const ada = await chat.member("Ada");
    const [one, two] = [await ada.open(), await ada.open()];
    for (let n = 0; n < limits.messages; n++)
      expect(await (n % 2 ? one : two).say("again")).toEqual({ ok: true });
    expect(await one.say("again")).toEqual({ ok: false, problem: "tooFast", retryInMs: limits.perMs });
    expect(await two.say("again")).toMatchObject({ problem: "tooFast" });
    expect(await (await chat.visitor().open()).say("I have said nothing yet.")).toEqual({ ok: true });
    await chat.clock.advance(limits.perMs);
    expect(await one.say("again")).toEqual({ ok: true });
  });
});

test("who is here: a user once, however many tabs and devices; guests as a number", async () => {
  const ada = await chat.member("Ada");
  const [first, second] = [await ada.open(), await ada.open()];
  const other = await (await chat.member("Grace")).open();
  await (await chat.member("grace")).open();
  const guest = await chat.visitor().open();
  const here = await guest.until("here");
  expect([here.people.map(({ name }) => name), here.guests]).toEqual([["Ada", "Grace"], 1]);
  first.socket.disconnect();
  guest.socket.disconnect();
  expect(await other.until("here", ({ guests }) => guests === 0)).toMatchObject({
    people: [{ name: "Ada" }, { name: "Grace" }],
  });
  second.socket.disconnect();
  expect(await other.until("here", ({ people }) => people.length === 1)).toMatchObject({
    people: [{ name: "Grace" }],
  });
});

test("the page loads nothing from elsewhere and stands in no frame", async () => {
  const { headers } = await chat.visitor().request("/");
  expect(headers.get("content-security-policy")).toContain("default-src 'self'");
  expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-powered-by")).toBeNull();
});

test("a node that has a name says so, in the page and to the socket; else the page is a file", async () => {
  const named = await startChat({ nodeName: "eu-1" });
  expect(await (await named.visitor().request("/")).text()).toContain('<meta name="node" content="eu-1">');
  expect(await (await named.visitor().open()).until("node")).toBe("eu-1");
  await named.close();
  expect(await (await chat.visitor().request("/")).text()).toContain('<meta name="node" content="">');
});
