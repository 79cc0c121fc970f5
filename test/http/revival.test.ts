/** Saves after an end that this process can hardly know of: nothing revives the session. */
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, expect, test } from "vitest";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { describeKinds } from "../support/matrix.ts";
import { secret, startWorld, type World } from "../support/world.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const call = (run: (callback: (error?: unknown, value?: unknown) => void) => void) =>
  new Promise<unknown[]>((resolve) => run((error, value) => resolve([error, value])));

const cookie = () =>
  ({ originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000).toISOString() }) as never;

describeKinds("a deep copy of the result of get()", (kind) => {
  test.each([
    { how: "structuredClone", copy: (given: object) => structuredClone({ ...given }) },
    { how: "JSON", copy: (given: object) => JSON.parse(JSON.stringify(given)) },
  ])("made by $how is not stored after a logout on another node", async ({ copy }) => {
    const store = kind.open();
    const here = liveSessions({ store, secret });
    const elsewhere = liveSessions({ store, secret });
    closing.push(
      () => elsewhere.close(),
      () => here.close(),
    );
    const discarded: string[] = [];
    here.on("discard", ({ publicId }) => discarded.push(publicId));
    const facade = here.store();
    await call((done) => elsewhere.store().set("a", { cookie: cookie(), n: 1 }, done));
    const [, given] = await call((done) => facade.get("a", done));
    await call((done) => elsewhere.store().destroy("a", done));
    const mine = { ...copy(given as object), cookie: cookie(), n: 2 };
    expect((await call((done) => facade.set("a", mine, done)))[0]).toMatchObject({ code: "SESSION_ENDED" });
    expect(await call((done) => facade.get("a", done))).toEqual([null, null]);
    expect(discarded).toHaveLength(1);
  });

  test("is stored if the session still is; and a session that was never here is stored", async () => {
    const sessions = liveSessions({ store: kind.open(), secret });
    closing.push(() => sessions.close());
    const facade = sessions.store();
    expect(await call((done) => facade.set("a", { cookie: cookie(), n: 1 }, done))).toEqual([
      null,
      undefined,
    ]);
    const [, given] = await call((done) => facade.get("a", done));
    const mine = { ...JSON.parse(JSON.stringify(given)), n: 2 };
    expect(await call((done) => facade.set("a", mine, done))).toEqual([null, undefined]);
    expect((await call((done) => facade.get("a", done)))[1]).toMatchObject({ n: 2 });
  });
});

test("a response does not store a session that ended before it was stored, however much later it comes", async () => {
  const clock = new ManualClock();
  let ids: string | undefined;
  let respond = () => {};
  const world: World = await startWorld({
    store: memoryStore({ clock }),
    clock,
    routes(app) {
      app.get("/slow", (req, res) => {
        ids = req.sessionID;
        req.session.name = "ada";
        respond = () => void res.send("late");
      });
    },
  });
  closing.push(() => world.close());
  const ada = world.browser();
  const answer = ada.get("/slow");
  await expect.poll(() => ids).toBeDefined();
  const sid = String(ids);
  await world.sessions.end(sid);
  await clock.advance(11 * 60_000);
  respond();
  expect(await answer).toBe("late");
  await settle();
  expect(await call((done) => world.sessions.store().get(sid, done))).toEqual([null, null]);
});
