/** `close({ overMs })` in a process that has nothing else to do. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { execArgv } from "../support/node-process.ts";

const program = `
import { createServer } from "node:http";
import { once } from "node:events";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

const sessions = liveSessions({ store: memoryStore(), secret: "a secret of thirty-two characters", guests: "allow" });
const http = createServer();
sessions.attach(new Server(http));
await once(http.listen(0), "listening");
const url = "http://localhost:" + http.address().port;
const clients = [1, 2].map(() => connect(url, { forceNew: true, reconnection: false, transports: ["websocket"] }));
for (const client of clients) if (!client.connected) await new Promise((resolve) => client.on("connect", resolve));
http.close();
const closed = sessions.close({ overMs: 500 });
for (const client of clients) client.disconnect();
await closed;
console.log("closed");
`;

test("the process stays until the sessions are closed, also if all clients leave before", async () => {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [...execArgv, "--input-type=module", "--eval", program]);
  expect(stdout).toBe("closed\n");
});
