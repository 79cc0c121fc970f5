/** Modules of a page that a server loads to render it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "../package/sources.ts";

const module = `
import { io } from "socket.io-client";
import { sessionClient } from "socket-session/client";
const socket = io("http://127.0.0.1:1", { autoConnect: typeof window !== "undefined" });
const session = sessionClient(socket, { routes: "/session" });
globalThis.fetch = () => console.log("a request");
setImmediate(() => console.log(session.getSnapshot().state, socket.active));
`;

test("a client on a server connects and asks nothing, and keeps no process alive", async () => {
  const options = ["--conditions=socket-session-source", "--input-type=module", "--eval", module];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, options, { cwd: root });
  expect({ stdout, stderr }).toEqual({ stdout: "connecting false\n", stderr: "" });
});
