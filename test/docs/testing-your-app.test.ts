/** What docs/guide/testing-your-app.md says of calls that wait by the application's clock. */
import { createServer } from "node:http";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { expect, test, vi } from "vitest";
import { ManualClock } from "../support/manual-clock.ts";

test("with a clock that stands still, the sockets of a list are waited for until it is moved by a second", async () => {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  const sessions = liveSessions({ store, clock, secret: "a secret for tests", userId: () => "ada" });
  const io = new Server(createServer());
  sessions.attach(io);
  await signIn(sessions);
  const listed = vi.fn();
  const list = sessions.user("ada").list({ sockets: true }).then(listed);
  await sessions.user("ada").list();
  expect(listed).not.toHaveBeenCalled();
  await clock.advance(1_000);
  await list;
  expect(listed).toHaveBeenCalledExactlyOnceWith([
    expect.objectContaining({ sockets: { here: 0, others: 0, unanswered: [] } }),
  ]);
  await sessions.user("ada").list({ sockets: true });
  await io.close();
  await sessions.close();
});
