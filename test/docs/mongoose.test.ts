/** The program of the guide to Mongoose, over a real replica set. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import mongoose from "mongoose";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { withService } from "../setup/services.ts";
import { Browser, disconnected, refused } from "../support/browser.ts";
import { documentAt, root } from "./markdown.ts";
import { type Running, runExample } from "./run-example.ts";

const file = "docs/guide/examples/mongoose.ts";

test("the program is in the guide as it is", () => {
  const text = readFileSync(join(root, file), "utf8").trimEnd();
  expect(documentAt("docs/guide/mongoose.md").blocks.map(({ code }) => code)).toContain(text);
});

const mongodb = withService("mongodb-replica");

mongodb.describe("the program", () => {
  const name = `socket_session_mongoose_${process.pid}_${Date.now()}`;
  let running: Running;

  beforeAll(async () => {
    const url = new URL(mongodb.url);
    url.pathname = name;
    vi.stubEnv("MONGODB_URL", url.href);
    running = await runExample(file);
  });
  afterAll(async () => {
    await mongoose.connection.dropDatabase();
    const { shutDown } = await import("../../docs/guide/examples/mongoose.ts");
    await shutDown();
  });

  test.each([{ transports: ["polling"] }, { transports: ["websocket"] }])(
    "keeps sessions beside the documents, and a logout closes the sockets: $transports",
    async (options) => {
      const ada = new Browser(running.url);
      expect((await refused(ada.socket("/", options))).data).toEqual({ code: "SESSION_REQUIRED" });
      await ada.post("/login/ada");
      const socket = await ada.connect("/", options);
      expect(await socket.emitWithAck("who am I")).toBe("ada");
      const stored = mongoose.connection
        .collection("sessions")
        .find({ "socketSession.ended": { $exists: false }, "socketSession.note": { $exists: false } });
      const user = await mongoose.connection.collection("users").findOne({ name: "ada" });
      expect(await stored.toArray()).toMatchObject([{ socketSession: { users: [String(user?._id)] } }]);
      const gone = disconnected(socket);
      await ada.post("/logout");
      expect(await gone).toBe("io server disconnect");
      ada.close();
    },
  );
});
