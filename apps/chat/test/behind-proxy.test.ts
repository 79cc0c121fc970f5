import { expect, test } from "vitest";
import { limits } from "../shared/events.ts";
import { startChat } from "./visitors.ts";

/** Sends as much as one guest may, then says whether a guest of the other address may send something. */
async function mayOtherSay(proxy: boolean): Promise<boolean> {
  const chat = await startChat({ proxy });
  try {
    const from = (list: string) => chat.visitor().open({ extraHeaders: { "x-forwarded-for": list } });
    const one = await from("anything, 192.0.2.1");
    for (let n = 0; n < limits.messages; n++) expect(await one.say("again")).toEqual({ ok: true });
    expect(await (await from("something else, 192.0.2.1")).say("again")).toMatchObject({ ok: false });
    return (await (await from("anything, 192.0.2.2")).say("again")).ok;
  } finally {
    await chat.close();
  }
}

test("guests are told apart by the address that the proxy has seen, whatever they claim themselves", async () => {
  expect(await mayOtherSay(true)).toBe(true);
});

test("without a proxy that was announced, the header counts for nothing", async () => {
  expect(await mayOtherSay(false)).toBe(false);
});

test("a device has the network that the proxy has seen", async () => {
  const chat = await startChat({ proxy: true });
  const ada = chat.visitor();
  await ada.post("/login", { name: "Ada" }, { "x-forwarded-for": "198.51.100.1, 192.0.2.7" });
  expect(await (await ada.open()).until("devices")).toMatchObject([
    { name: "An unknown browser, 192.0.2.x" },
  ]);
  await chat.close();
});
