/** The events of the session beside those of an application, typed for a page. */
import { type Socket as ClientSocket, io as connect } from "socket.io-client";
import type { StateMessage, WithSession } from "socket-session/protocol";
import { expect, onTestFinished, test } from "vitest";
import { startWorld } from "./support/world.ts";

interface ServerToClient {
  message: (text: string) => void;
}

interface Shared {
  readonly name: string;
}

test("`WithSession` types the page's listeners, and lets no other event in", async () => {
  const world = await startWorld({
    attach: { share: ({ name }) => ({ name }) },
    sockets: (io) => io.on("connection", (socket) => void socket.emit("message", "hello")),
  });
  onTestFinished(() => world.close());
  const ada = await world.visitor({ name: "ada" });
  const socket: ClientSocket<WithSession<ServerToClient, Shared>> = connect(world.url, {
    extraHeaders: { cookie: ada.cookie },
  });
  onTestFinished(() => void socket.disconnect());
  const names: (string | undefined)[] = [];
  socket.on("session:state", (state: StateMessage<Shared>) => names.push(state.data?.name));
  socket.on("session:state", ({ state, data }) => {
    // @ts-expect-error: nothing else is shared
    if (state === "live") names.push(data?.secret);
  });
  socket.on("session:end", ({ reason, message }) => names.push(reason, message));
  socket.on("session:forbidden", ({ code, room }) => names.push(code, room));
  // @ts-expect-error: no such event
  socket.on("session:stat", () => {});
  const text = await new Promise<string>((resolve) => socket.on("message", resolve));
  expect([text, ...names]).toEqual(["hello", "ada", undefined]);
});

test("without a type of the shared data they are unknown", () => {
  const nameOf = (message: Parameters<WithSession<object>["session:state"]>[0]): unknown => {
    // @ts-expect-error: unknown
    return message.data?.name;
  };
  expect(nameOf({ state: "guest" })).toBe(undefined);
  expect(nameOf({ state: "live", publicId: "", leftMs: 1, data: { name: "ada" } })).toBe("ada");
});
