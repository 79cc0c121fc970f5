import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { admins, limits } from "../shared/events.ts";
import { startChat } from "./visitors.ts";

let chat: Awaited<ReturnType<typeof startChat>>;
beforeEach(async () => {
  chat = await startChat();
});
afterEach(() => chat.close());

test("a shortened session ends a minute after the last activity, and can be given its full time again", async () => {
  const ada = await chat.member("Ada");
  const tab = await ada.open();
  const isShort = (expected: boolean) => tab.until("session:state", ({ data }) => data?.isShort === expected);
  expect(await ada.act("/try/short", { on: "1" })).toMatchObject({ ok: true });
  await isShort(true);
  expect(await ada.act("/try/short", { on: "0" })).toMatchObject({ ok: true });
  await isShort(false);
  await chat.clock.advance(10 * limits.shortMs);
  expect(await tab.say("Still here.")).toEqual({ ok: true });
  await ada.act("/try/short", { on: "1" });
  await isShort(true);
  await chat.clock.advance(limits.shortMs - 10_000);
  expect(await tab.say("And again.")).toEqual({ ok: true });
  await chat.clock.advance(limits.shortMs - 10_000);
  expect(tab.socket.connected).toBe(true);
  await chat.clock.advance(10_000);
  expect(await tab.until("session:end")).toEqual({ reason: "expired" });
});

test("an administrator's end has words for the page, and reaches every tab of this session alone", async () => {
  const [ada, phone] = [await chat.member("Ada"), await chat.member("Ada")];
  const [tab, phoneTab] = [await ada.open(), await phone.open()];
  expect(await ada.act("/try/revoke")).toMatchObject({
    ok: true,
    story: expect.stringMatching(/^Revoked\. Closed: 1 socket/),
  });
  expect(await tab.until("session:end")).toEqual({
    reason: "revoked",
    message: "An administrator has ended your session.",
  });
  expect(await phoneTab.say("Still here.")).toEqual({ ok: true });
});

test("the room of the admins is heard for as long as the right lasts", async () => {
  const ada = await chat.member("Ada");
  const tab = await ada.open();
  const figures = vi.fn();
  tab.socket.on("figures", figures);
  expect(await ada.act("/try/admin", { on: "1" })).toMatchObject({ ok: true });
  expect(await tab.until("figures")).toEqual({ sessions: 1, connections: 1 });
  expect(await ada.act("/try/admin", { on: "0" })).toMatchObject({ ok: true });
  expect(await tab.until("session:forbidden")).toEqual({ code: admins.code, room: admins.room });
  figures.mockClear();
  expect(await tab.say("Still here.")).toEqual({ ok: true });
  expect(figures).not.toHaveBeenCalled();
});

test("actions are for those who have logged in, and limited for each session", async () => {
  for (const path of ["/try/short", "/try/revoke", "/try/admin", "/devices/end-others"])
    expect(await chat.visitor().act(path, { on: "1" })).toEqual({ ok: false, problem: "notLoggedIn" });
  const [ada, grace] = [await chat.member("Ada"), await chat.member("Grace")];
  for (let n = 0; n < limits.actions; n++) expect(await ada.act("/try/admin")).toMatchObject({ ok: true });
  expect(await ada.act("/try/admin")).toEqual({ ok: false, problem: "tooOften" });
  expect(await grace.act("/try/admin")).toMatchObject({ ok: true });
  await chat.clock.advance(limits.actionsPerMs);
  expect(await ada.act("/try/admin")).toMatchObject({ ok: true });
});

test("a new name is an action, too", async () => {
  const ada = await chat.member("Ada");
  for (let n = 0; n < limits.actions; n++)
    expect(await ada.act("/rename", { name: `Ada ${n}` })).toMatchObject({ ok: true });
  expect(await ada.act("/rename", { name: "Ada" })).toEqual({ ok: false, problem: "tooOften" });
});

test("logins are limited for each address", async () => {
  for (let n = 0; n < limits.actions; n++)
    expect(await chat.visitor().act("/login", { name: "Ada" })).toMatchObject({ ok: true });
  expect(await chat.visitor().act("/login", { name: "Ada" })).toEqual({ ok: false, problem: "tooOften" });
});

test("a node can be stopped in a cluster alone, once the answer is through", async () => {
  const ada = await chat.member("Ada");
  expect((await ada.request("/try/stop-node", { method: "POST" })).status).toBe(404);
  const stopNode = vi.fn();
  const node = await startChat({ nodeName: "node 1", stopNode });
  const visitor = await node.member("Ada");
  expect(await visitor.act("/try/stop-node", { node: "node 1" })).toMatchObject({ ok: true });
  await vi.waitFor(() => expect(stopNode).toHaveBeenCalledExactlyOnceWith("node 1"));
  expect(await (await visitor.request("/")).text()).toContain('<meta name="cluster" content="yes">');
  await node.close();
});
