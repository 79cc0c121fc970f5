/** What clients and data choose, as messages name it: nothing in it that a terminal or a log obeys. */
import { afterEach, expect, test } from "vitest";
import { shownNamespace } from "../../src/socket/guarded-handlers.ts";
import { connected } from "../support/browser.ts";
import { serverSockets } from "../support/handlers.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** Of the terminal's control sequences, of lines, and of directions of text. */
const hostile = "a\u001b[2J\n\u007f\u0085\u009b2J\u2028\u2029\u202a\u202e\u2066\u2069z";
const obeyed = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const escaped = String.raw`a\u001b[2J\n\u007f\u0085\u009b2J\u2028\u2029\u202a\u202e\u2066\u2069z`;

async function start() {
  world = await startWorld({
    sockets: (io) =>
      io.of(/^\/room-/).on("connection", (socket) =>
        socket.onAny(() => {
          throw new Error("boom");
        }),
      ),
  });
  const ada = await world.visitor({ [hostile]: 1 });
  const client = ada.socket("/room-1");
  await connected(client);
  const [socket] = serverSockets(world.io);
  if (!socket) throw new Error("no socket");
  return { client, socket };
}

test("the names of an event and of a namespace", async () => {
  const { client } = await start();
  client.emit(hostile);
  await expect.poll(() => world.errors).toHaveLength(1);
  const message = String(Reflect.get(Object(world.errors[0]), "message"));
  expect(message).toContain(`in /room-1, called for "${escaped}", failed`);
  expect(message).not.toMatch(obeyed);
  expect(shownNamespace(`/${hostile}`)).toBe(`/${escaped}`); // stock clients encode it, others need not
});

test("a key of a session", async () => {
  const { socket } = await start();
  const { session } = socket;
  const view: unknown = Reflect.get(socket.request, "session");
  const write = (bearer: unknown) => () => Object.assign(Object(bearer), { [hostile]: 1 });
  const refusals: [() => unknown, string][] = [
    [write(session.data), `data["${escaped}"] of a session was written to`],
    [write(view), `socket.request.session["${escaped}"] = … can't be used`],
    [
      () => Reflect.deleteProperty(Object(view), hostile),
      `delete socket.request.session["${escaped}"] can't`,
    ],
    [() => session.update((s) => Object.assign(s, { [hostile]: 1n })), `The session's "${escaped}" cannot`],
    [
      () => session.update((s) => Object.assign(s, { [hostile]: new Map() })),
      `The session's "${escaped}" expects`,
    ],
  ];
  for (const [refused, text] of refusals) {
    const { message } = await Promise.resolve()
      .then(refused)
      .then(
        () => new Error("nothing was refused"),
        (error: Error) => error,
      );
    expect(message).toContain(text);
    expect(message).not.toMatch(obeyed);
  }
});

test("an unknown option", async () => {
  const { message } = await start()
    .then(() => world.sessions.end({ publicId: "x", "\u009b2J\n\u202e": 1 } as never))
    .then(
      () => new Error("nothing was refused"),
      (error: Error) => error,
    );
  expect(message).toContain("has no option with a name of 5 characters");
});
