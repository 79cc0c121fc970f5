/** `sessionsPerUser`: a user has no more sessions than the cap, on all nodes. What a check keeps: `test/session/user-cap.test.ts`. */
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterEach, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import {
  closeWorlds,
  dataOf,
  endOldest,
  failures,
  isIn,
  later,
  logIn,
  refuse,
  startCapped as start,
} from "../support/capped-world.ts";
import { connectEverywhere } from "../support/ends.ts";
import { describeEverywhere, describeKinds, type StoreKind, storeKinds } from "../support/matrix.ts";

afterEach(closeWorlds);

const full = { status: 409, code: "USER_SESSIONS_FULL", data: {} };
const listing = storeKinds.filter(({ feed }) => feed);

function stories({ open }: StoreKind): void {
  test("endOldest: one login more ends the oldest session on another node, and its pages get the reason", async () => {
    const store = open();
    const [here, there] = [await start(store, endOldest(2)), await start(store, endOldest(2))];
    for (const { sessions } of [here, there])
      await expect.poll(() => sessions.stats().store.feed).toBe("whole");
    const events: object[] = [];
    here.sessions.on("lifecycle", (event) => events.push(event));
    const [oldest, second, newest] = [there.browser(), there.browser(), here.browser()];
    expect([await logIn(oldest), await logIn(second)]).toEqual(["in", "in"]);
    const [socket, other] = [await oldest.connect(), await second.connect()];
    const ends: unknown[] = [];
    socket.on("session:end", (end) => ends.push(end));
    const gone = disconnected(socket);
    expect(await logIn(newest)).toBe("in");
    expect(await gone).toBe("io server disconnect");
    expect(ends).toEqual([{ reason: "displaced" }]);
    expect(await Promise.all([oldest, second, newest].map(isIn))).toEqual([false, true, true]);
    expect(await other.emitWithAck("state")).toBe("live");
    expect(events).toMatchObject([
      { type: "created", userId: "ada" },
      { type: "login", userId: "ada" },
      { type: "ended", reason: "displaced", by: "request", userId: "ada", address: expect.any(String) },
    ]);
    expect([...here.errors, ...there.errors]).toEqual([]);
  });

  test("refuse: one login more is undone, on another node too, until a session has ended", async () => {
    const store = open();
    const [here, there] = [await start(store, refuse(2)), await start(store, refuse(2))];
    const [first, second, third] = [here.browser(), there.browser(), here.browser()];
    expect([await logIn(first), await logIn(second)]).toEqual(["in", "in"]);
    const socket = await first.connect();
    const events: object[] = [];
    here.sessions.on("lifecycle", (event) => events.push(event));
    expect(await logIn(third)).toEqual(full);
    const about = { by: "request", userId: "ada" };
    expect(events.slice(0, 3)).toMatchObject([
      { type: "created", ...about },
      { type: "login", ...about },
      { type: "ended", reason: "displaced", ...about },
    ]);
    expect(await dataOf(third)).toEqual({});
    expect(await here.sessions.user("ada").list()).toHaveLength(2);
    expect(await logIn(third, { userId: "eve" })).toBe("in");
    await second.post("/logout");
    expect(await logIn(third)).toBe("in");
    expect(await Promise.all([first, second, third].map(isIn))).toEqual([true, false, true]);
    expect(await socket.emitWithAck("state")).toBe("live");
    expect([...here.errors, ...there.errors]).toEqual([]);
  });

  test("refuse: whatever gives a session the user", async () => {
    const world = await start(open(), refuse(1));
    await logIn(world.browser());
    for (const path of ["/save-login", "/update-login", "/passport-login"]) {
      for (const visitor of [world.browser(), await world.visitor({ name: "guest" })]) {
        const { cookie } = visitor;
        expect(await logIn(visitor, { userId: "ada" }, path)).toEqual(full);
        expect(await dataOf(visitor)).toEqual({});
        const before = world.browser();
        before.cookie = cookie;
        expect(await dataOf(before)).toEqual({});
      }
    }
    const guest = await world.visitor({ name: "guest" });
    const socket = await guest.connect();
    const gone = disconnected(socket);
    expect(await socket.emitWithAck("become", "ada").catch(() => "no answer")).not.toBe("in");
    expect(await gone).toBe("io server disconnect");
    expect(await dataOf(guest)).toEqual({});
    await later();
    await expect(signIn(world.sessions, { userId: "ada" })).rejects.toMatchObject({
      code: "USER_SESSIONS_FULL",
    });
    expect(await world.sessions.user("ada").list()).toHaveLength(1);
    expect(world.errors).toEqual([]);
  });

  test("refuse: a login by the save at the end of a response is over when the response arrives, and an error for next", async () => {
    const world = await start(open(), refuse(1));
    await logIn(world.browser());
    await later();
    const ada = world.browser();
    await ada.post("/login", { userId: "ada" }).catch(() => {}); // Express may cut it off, as its headers are sent
    expect(await dataOf(ada)).toEqual({});
    expect(failures.map(({ code }) => code)).toEqual(["USER_SESSIONS_FULL"]);
    expect(await world.sessions.user("ada").list()).toHaveLength(1);
  });

  test.each([
    ["refuse", refuse(1)],
    ["endOldest", endOldest(1)],
  ])(
    "%s: another login of the same browser, with or without a new id, does not count twice",
    async (_mode, cap) => {
      const world = await start(open(), cap);
      const ada = world.browser();
      for (const path of ["/new-login", "/save-login", "/update-login", "/login"])
        expect(await logIn(ada, { userId: "ada", name: path }, path)).toBe("in");
      await ada.post("/regenerate");
      expect(await logIn(ada)).toBe("in");
      expect(await isIn(ada)).toBe(true);
      expect(await world.sessions.user("ada").list()).toHaveLength(1);
      expect(failures).toEqual([]);
      await Promise.all([logIn(ada), logIn(ada)]);
      expect(await world.sessions.user("ada").list()).toHaveLength(1);
    },
  );

  test("a session whose user logged out and in again without a new id counts from the second login", async () => {
    const store = open();
    for (const [user, cap] of [["ada", refuse(1)] as const, ["eve", endOldest(1)] as const]) {
      const world = await start(store, cap);
      const [first, second] = [world.browser(), world.browser()];
      expect(await logIn(first, { userId: user, name: "first" })).toBe("in");
      await first.post("/write", { userId: null });
      expect(await logIn(second, { userId: user, name: "second" })).toBe("in");
      const answer = await logIn(first, { userId: user }, "/update-login");
      expect(answer).toEqual(cap.whenFull === "refuse" ? full : "in");
      const names = await Promise.all([first, second].map(async (one) => (await dataOf(one)).name));
      expect(names).toEqual(cap.whenFull === "refuse" ? [undefined, "second"] : ["first", undefined]);
    }
  });

  test.each([
    ["refuse", refuse(2)],
    ["endOldest", endOldest(2)],
  ])("%s: sessions from before the option was set end at the next login", async (_mode, cap) => {
    const store = open();
    const before = await start(store);
    const all = Array.from({ length: 4 }, () => before.browser());
    for (const browser of all) expect(await logIn(browser)).toBe("in");
    const world = await start(store, cap);
    const next = world.browser();
    expect(await logIn(next)).toEqual(cap.whenFull === "refuse" ? full : "in");
    expect(await world.sessions.user("ada").list()).toHaveLength(2);
    const expected =
      cap.whenFull === "refuse" ? [true, true, false, false, false] : [false, false, false, true, true];
    expect(await Promise.all([...all, next].map(isIn))).toEqual(expected);
  });

  test("refuse: a login that can't be counted is undone; endOldest: the user is in, and the failure is reported", async () => {
    const store = open();
    const [refusing, ending] = [await start(store, refuse(5)), await start(store, endOldest(5))];
    const listByUser: unknown = Reflect.get(store, "listByUser");
    Object.assign(store, { listByUser: () => Promise.reject(new Error("down")) });
    for (const path of ["/new-login", "/save-login", "/update-login"]) {
      const ada = refusing.browser();
      expect(await logIn(ada, { userId: "ada" }, path)).toEqual({
        status: 503,
        code: "STORE_FAILED",
        data: {},
      });
      expect(await dataOf(ada)).toEqual({});
    }
    const eve = ending.browser();
    expect(await logIn(eve)).toBe("in");
    expect(await isIn(eve)).toBe(true);
    expect(ending.errors).toEqual([expect.objectContaining({ code: "STORE_FAILED" })]);
    expect(refusing.errors).toEqual([]);
    Object.assign(store, { listByUser });
    expect(await ending.sessions.user("ada").list()).toHaveLength(1);
  });
}

test("a login lists the sessions of its user once; no other request or event does, and none without the option", async () => {
  const listed: string[] = [];
  const store = memoryStore();
  const listByUser = store.listByUser?.bind(store);
  store.listByUser = async (user) => {
    listed.push(user);
    return (await listByUser?.(user)) ?? [];
  };
  const world = await start(store, endOldest(2));
  const ada = world.browser();
  for (const path of ["/new-login", "/save-login", "/login"]) await logIn(ada, { userId: "ada" }, path);
  expect(listed.splice(0)).toEqual(["ada", "ada", "ada"]);
  const socket = await ada.connect();
  await ada.post("/write", { name: "lovelace" });
  await ada.post("/update-login", { n: 1 });
  await socket.emitWithAck("increment");
  await ada.post("/write", { userId: null });
  expect(listed).toEqual([]);
  await ada.post("/write", { userId: "eve" });
  expect(listed.splice(0)).toEqual(["eve"]);
  const without = await start(store);
  await logIn(without.browser());
  expect(listed).toEqual([]);
});

describeKinds("sessionsPerUser", stories, listing);

describeEverywhere("the pages of a session that a login displaces", ({ store, transports }) => {
  if (!store.feed) {
    test("are none, as a store without an index of users is refused at the start", async () => {
      await expect(start(store.open(), endOldest(1))).rejects.toMatchObject({ code: "STORE_UNSUPPORTED" });
    });
    return;
  }

  test("close in all namespaces, and stay away", async () => {
    const world = await start(store.open(), endOldest(1));
    const ada = world.browser();
    await logIn(ada);
    const { clients, told, ends } = await connectEverywhere(world, ada, transports);
    expect(await logIn(world.browser())).toBe("in");
    expect(await ends).toEqual(clients.map(() => "io server disconnect"));
    expect(told).toEqual(clients.map(() => ({ reason: "displaced" })));
    expect(clients.map(({ active }) => active)).toEqual(clients.map(() => false));
  });
});
