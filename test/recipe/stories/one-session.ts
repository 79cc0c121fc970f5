import { upgraded } from "../../support/upgraded.ts";
import type { Seen, Story } from "../application.ts";
import { dataOf, onlySocket, until } from "../waiting.ts";

/** A request changes the name; then the socket's next event asks for it. */
export const requestThenEvent: Story<{ before: Seen; after: Seen }> = async (application, transports) => {
  const ada = await application.visitor({ name: "ada" });
  const socket = await ada.connect("/", { transports });
  await upgraded(socket);
  const before = await socket.emitWithAck("see");
  await ada.post("/write", { name: "lovelace" });
  return { before, after: await socket.emitWithAck("see") };
};

/** A hundred increments over two sockets, each acknowledged as done. */
export const hundredIncrements: Story<{ acknowledged: number; stored: unknown }> = async (
  application,
  transports,
) => {
  const ada = await application.visitor({ name: "ada" });
  const sockets = [await ada.connect("/", { transports }), await ada.connect("/", { transports })];
  await Promise.all(sockets.map(upgraded));
  const answers = await Promise.all(
    sockets.flatMap((socket) => Array.from({ length: 50 }, () => socket.emitWithAck("increment"))),
  );
  return {
    acknowledged: answers.filter((answer) => answer === "done").length,
    stored: await dataOf(ada),
  };
};

/** A poll waits at the server while a request writes, and again while a request logs out; both times it is answered then. */
export const pollInBetween: Story<{ afterWrite: unknown; afterLogout: unknown }> = async (
  application,
  transports,
) => {
  const ada = await application.visitor({ name: "ada" });
  const { cookie } = ada;
  const socket = await ada.connect("/", { transports });
  const { conn } = onlySocket(application);
  const pollWaits = () => conn.transport.writable;

  await until(pollWaits);
  await ada.post("/write", { name: "lovelace" });
  const heard = new Promise((resolve) => socket.once("news", resolve));
  application.io.emit("news");
  await heard;
  const afterWrite = await dataOf(ada);

  await until(pollWaits);
  const gone = new Promise((resolve) => socket.once("disconnect", resolve));
  await ada.post("/logout");
  await gone;
  ada.cookie = cookie;
  return { afterWrite, afterLogout: await dataOf(ada) };
};
