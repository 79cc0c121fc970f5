import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { transportKinds } from "../support/matrix.ts";
import { upgraded } from "../support/upgraded.ts";
import { type ApplicationProcess, withProcess } from "./application-process.ts";
import { isRecipeTested } from "./contrast.ts";
import { entryOf, fateOf } from "./waiting.ts";

describe.concurrent.each(transportKinds)("the process, by $name", (kind) => {
  const transports = [...kind.transports];

  /** A handler ends the session, and another one is called for the next event. */
  const leaveAndGoOn =
    (settled: (socket: Socket) => Promise<unknown>) => async (application: ApplicationProcess) => {
      const ada = application.browser();
      await ada.post("/login", { name: "ada" });
      const socket = await ada.connect("/", { transports, reconnection: false });
      await upgraded(socket);
      socket.emit("leave");
      socket.emit("go on");
      await settled(socket);
      return { connected: socket.connected, ...(await application.state()) };
    };

  test("goes on after session.end() and another event", async () => {
    expect(await withProcess("ours", "ours", leaveAndGoOn(disconnected))).toEqual({
      connected: false,
      process: "up",
      errors: ["SESSION_ENDED"],
    });
  });

  test("goes on with handlers as the recipe writes them, which are told what to write instead", async () => {
    expect(await withProcess("ours", "recipe", leaveAndGoOn(fateOf))).toEqual({
      connected: true,
      process: "up",
      errors: ["SESSION_READ_ONLY"],
    });
  });

  /** A client connects while the store is disconnected. */
  async function connectWhileDown(application: ApplicationProcess) {
    const ada = application.browser();
    await ada.post("/login", { name: "ada" });
    await ada.post("/store/fail");
    const socket = ada.socket("/", { transports, reconnection: false });
    await entryOf(socket);
    return application.state();
  }

  test("goes on when somebody connects while the store is disconnected", async () => {
    expect(await withProcess("ours", "ours", connectWhileDown)).toMatchObject({ process: "up" });
  });

  if (!isRecipeTested) return;
  test("ends in the recipe after session.destroy() and another event", async () => {
    expect(await withProcess("recipe", "recipe", leaveAndGoOn(disconnected))).toEqual({
      connected: false,
      process: "ended with 1: TypeError: Cannot read properties of undefined (reading 'reload')",
      errors: [],
    });
  });

  test("ends in the recipe when somebody connects while the store is disconnected", async () => {
    expect(await withProcess("recipe", "recipe", connectWhileDown)).toMatchObject({
      process: "ended with 1: TypeError: Cannot read properties of undefined (reading 'id')",
    });
  });
});
