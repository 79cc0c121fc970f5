import { upgraded } from "../../support/upgraded.ts";
import type { Application, Story } from "../application.ts";
import { copyOf, dataOf, entryOf, type Fate, fateOf } from "../waiting.ts";

/** What the cookie of a session that was logged out still opens. */
interface OldCookie {
  request: unknown;
  socket: string;
  sees: unknown;
}

async function tryOldCookie(
  application: Application,
  cookie: string,
  transports: string[],
): Promise<OldCookie> {
  const attacker = application.browser();
  attacker.cookie = cookie;
  const request = await dataOf(attacker);
  attacker.cookie = cookie;
  const client = attacker.socket("/", { transports, reconnection: false });
  const socket = await entryOf(client);
  return { request, socket, sees: client.connected ? await client.emitWithAck("see") : null };
}

/** A request has loaded the session when somebody logs out, and saves it afterwards. */
export const lateRequest: Story<OldCookie> = async (application, transports) => {
  const entered = Promise.withResolvers<void>();
  const loggedOut = Promise.withResolvers<void>();
  application.express.post("/slow", async (req, res) => {
    entered.resolve();
    await loggedOut.promise;
    req.session.name = "late";
    res.send("saved");
  });
  const ada = await application.visitor({ name: "ada" });
  const { cookie } = ada;
  const slow = copyOf(ada, application).post("/slow");
  await entered.promise;
  await ada.post("/logout");
  loggedOut.resolve();
  await slow;
  return tryOldCookie(application, cookie, transports);
};

/** The same with a socket's handler, by the documented way to change a session there. */
export const lateHandler: Story<OldCookie> = async (application, transports) => {
  const entered = Promise.withResolvers<void>();
  const loggedOut = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<void>();
  application.io.on("connection", (socket) => {
    socket.on("slow", () => {
      const late = application.change(socket, async (data) => {
        entered.resolve();
        await loggedOut.promise;
        data.name = "late";
      });
      late.then(settled.resolve, () => settled.resolve());
    });
  });
  const ada = await application.visitor({ name: "ada" });
  const { cookie } = ada;
  const socket = await ada.connect("/", { transports });
  await upgraded(socket);
  socket.emit("slow");
  await entered.promise;
  await ada.post("/logout");
  loggedOut.resolve();
  await settled.promise;
  return tryOldCookie(application, cookie, transports);
};

/** A visitor with sockets in the main, a static and a dynamic namespace logs out. */
export const everyNamespace: Story<Record<string, Fate>> = async (application, transports) => {
  const ada = await application.visitor();
  const main = await ada.connect("/", { transports });
  const others = { "/admin": main.io.socket("/admin"), "/room-7": main.io.socket("/room-7") };
  await Promise.all(Object.values(others).map(entryOf));
  await upgraded(main);
  await ada.post("/logout");
  // The main one last: an event to a socket that is gone at the server would close the connection of all.
  const fates: Record<string, Fate> = {};
  for (const [namespace, socket] of Object.entries({ ...others, "/": main })) {
    fates[namespace] = await fateOf(socket);
  }
  return fates;
};

/** A visitor logs out while a socket of theirs is held up in asynchronous middleware. */
export const stillInMiddleware: Story<{ isLetIn: boolean; connections: string[] }> = async (
  application,
  transports,
) => {
  const entered = Promise.withResolvers<void>();
  const loggedOut = Promise.withResolvers<void>();
  const connections: string[] = [];
  application.io.use(async (_socket, next) => {
    entered.resolve();
    await loggedOut.promise;
    next();
  });
  application.io.on("connection", (socket) => connections.push(application.see(socket)?.name ?? "nobody"));
  const ada = await application.visitor({ name: "ada" });
  const other = copyOf(ada, application);
  const client = ada.socket("/", { transports, reconnection: false });
  const entry = Promise.race([
    entryOf(client),
    new Promise<string>((resolve) => client.io.once("close", () => resolve("closed"))),
  ]);
  await entered.promise;
  await other.post("/logout");
  loggedOut.resolve();
  const eve = await application.visitor({ name: "eve" });
  await eve.connect("/", { transports }); // went the same way later, so the first is through if ever
  return { isLetIn: (await entry) === "let in", connections };
};

/** A visitor with a socket logs in, which gives the session a new id. */
export const login: Story<{ sees: unknown; afterReload: unknown }> = async (application, transports) => {
  const visitor = await application.visitor({ name: "a guest" });
  const socket = await visitor.connect("/", { transports });
  await upgraded(socket);
  await visitor.post("/login", { name: "ada" });
  if ((await fateOf(socket)) === "gone" && !socket.connected) await entryOf(socket);
  return { sees: await socket.emitWithAck("see"), afterReload: await socket.emitWithAck("reload") };
};
