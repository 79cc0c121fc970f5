import { afterEach, beforeEach, expect, test } from "vitest";
import { type Device, limits } from "../shared/events.ts";
import { startChat, type Tab } from "./visitors.ts";

let chat: Awaited<ReturnType<typeof startChat>>;
beforeEach(async () => {
  chat = await startChat();
});
afterEach(() => chat.close());

/** The next list of so many devices. */
const listOf = (tab: Tab, count: number) => tab.until("devices", ({ length }) => length === count);

test("a login with the same name, in capitals or not, is another device of the user, announced to the others", async () => {
  const tab = await (await chat.member("Ada")).open();
  expect(await listOf(tab, 1)).toMatchObject([
    { name: "An unknown browser, this machine", tabs: 1, seenAgoMs: 0 },
  ]);
  const other = await chat.member("ADA");
  expect(await tab.until("story")).toMatch(
    /^A new device is signed in as you: An unknown browser, this machine\./,
  );
  await listOf(tab, 2);
  const otherTab = await other.open();
  const ids = (list: readonly Device[]) => list.map(({ publicId }) => publicId).sort();
  expect(ids(await listOf(otherTab, 2))).toEqual(ids(await listOf(tab, 2)));
});

test("the list counts the tabs of each device", async () => {
  const [ada, phone] = [await chat.member("Ada"), await chat.member("Ada")];
  const tab = await ada.open();
  const [first] = [await phone.open(), await phone.open()];
  const tabsOf = (list: readonly Device[]) => list.map(({ tabs }) => tabs).sort();
  expect(await tab.until("devices", (list) => tabsOf(list).join() === "1,2")).toBeDefined();
  first.socket.disconnect();
  expect(await tab.until("devices", (list) => tabsOf(list).join() === "1,1")).toBeDefined();
});

test("the list is that of the user alone, and follows a new name", async () => {
  const ada = await chat.member("Ada");
  const [tab, graceTab] = [await ada.open(), await (await chat.member("Grace")).open()];
  await listOf(graceTab, 1);
  await ada.post("/rename", { name: "Grace" });
  await listOf(graceTab, 2);
  await listOf(tab, 2);
});

test("a device of another user is not signed out, and a guest has none", async () => {
  const [ada, grace] = [await chat.member("Ada"), await chat.member("Grace")];
  const tab = await grace.open();
  expect(await ada.act("/devices/end", { publicId: tab.publicId })).toEqual({ ok: false, problem: "gone" });
  expect(await ada.act("/devices/end")).toEqual({ ok: false, problem: "gone" });
  expect(await chat.visitor().act("/devices/end-others")).toEqual({ ok: false, problem: "notLoggedIn" });
  expect(await tab.say("Still here.")).toEqual({ ok: true });
});

test("a user has so many devices at most: one more signs out the oldest", async () => {
  const oldest = await (await chat.member("Ada")).open();
  for (let n = 0; n < limits.devices; n++) {
    await chat.clock.advance(1); // which is the oldest goes by the time of the login
    await chat.member("Ada");
  }
  expect(await oldest.until("session:end")).toEqual({ reason: "displaced" });
  await chat.clock.advance(1);
  expect(await listOf(await (await chat.member("Ada")).open(), limits.devices)).toBeDefined();
});

test("one device is signed out by another, and so are all others", async () => {
  const [ada, phone, tablet] = [await chat.member("Ada"), await chat.member("Ada"), await chat.member("Ada")];
  const [tab, phoneTab, tabletTab] = [await ada.open(), await phone.open(), await tablet.open()];
  const { publicId } = phoneTab;
  expect(await ada.act("/devices/end", { publicId })).toMatchObject({
    ok: true,
    story: expect.stringMatching(/^Revoked\. Closed: 1 socket in (less than 1|\d+) ms\.$/),
  });
  expect(await phoneTab.until("session:end")).toEqual({ reason: "revoked" });
  expect(await ada.act("/devices/end", { publicId })).toEqual({ ok: false, problem: "gone" });
  await listOf(tab, 2);
  expect(await ada.act("/devices/end-others")).toMatchObject({ ok: true });
  expect(await tabletTab.until("session:end")).toEqual({ reason: "revoked" });
  await listOf(tab, 1);
  expect(await tab.say("Still here.")).toEqual({ ok: true });
});
