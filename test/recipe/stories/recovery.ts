import type { Browser } from "../../support/browser.ts";
import { upgraded } from "../../support/upgraded.ts";
import type { Story } from "../application.ts";
import { copyOf, entryOf, onlySocket, until } from "../waiting.ts";

export interface Return {
  entry: string;
  recovered: boolean;
  received: string[];
  /** Whether the message sent in the meantime went over the network, whoever looked at it. */
  missedOnTheWire: boolean;
}

/** A member's client drops out of the network; a message goes out to members; then the client is back. */
function dropOut(meanwhile: (tab: Browser, copy: Browser) => Promise<unknown>): Story<Return> {
  return async (application, transports) => {
    const { io } = application;
    io.use((socket, next) => {
      if (application.see(socket)?.name === undefined) next(new Error("log in first"));
      else next();
    });
    io.on("connection", (socket) => {
      if (application.see(socket)?.name === "ada") socket.join("ada's");
    });
    const tab = await application.visitor({ name: "ada" });
    const socket = await tab.connect("/", { transports, reconnection: false });
    await upgraded(socket);
    const received: string[] = [];
    socket.on("news", (text) => received.push(text));
    io.to("ada's").emit("news", "first");
    await until(() => received.length === 1);

    const serverSide = onlySocket(application);
    const noticed = new Promise((resolve) => serverSide.once("disconnect", resolve));
    socket.io.engine.close();
    await noticed;
    await meanwhile(tab, copyOf(tab, application));
    io.to("ada's").emit("news", "missed");

    const wire: string[] = [];
    socket.io.once("open", () => socket.io.engine.on("data", (data) => void wire.push(String(data))));
    const entering = entryOf(socket);
    socket.connect();
    const entry = await entering;
    if (socket.connected) {
      io.to("ada's").emit("news", "later");
      await socket.emitWithAck("see");
    }
    const missedOnTheWire = wire.some((data) => data.includes("missed"));
    return { entry, recovered: socket.recovered, received, missedOnTheWire };
  };
}

/** Meanwhile, the visitor has logged out in another window; the client still sends the old cookie. */
export const loggedOutWhileOffline = dropOut((_tab, copy) => copy.post("/logout"));

/** Meanwhile, the next user has logged in, in the same tab. */
export const nextUserInTheTab = dropOut((tab) => tab.post("/login", { name: "eve" }));
