import cluster from "node:cluster";
import { readClusterMessage, sendToPrimary } from "./cluster-messages.ts";
import { createChat, type Split } from "./create-chat.ts";
import { readEnvironment } from "./environment.ts";
import { openAdapter } from "./open-adapter.ts";
import { openStore } from "./open-store.ts";

/** One node: on its own port, or as a worker of the cluster. If split, the sockets are on the next port. */
export async function startNode(pageDir: string, isSplit: boolean): Promise<void> {
  const isInCluster = cluster.isWorker;
  const environment = readEnvironment(process.env, { isInCluster, isSplit });
  const { port, store, adapter, notes, ...settings } = environment;
  const split = isSplit ? splitAt(port) : undefined;
  const openedStore = await openStore(store);
  const openedAdapter = await openAdapter(adapter, isInCluster).catch(async (error) => {
    await openedStore.store.close();
    await openedStore.close();
    throw error;
  });
  const opened = { store: openedStore.store, adapter: openedAdapter.adapter };
  const stopNode = (node: string) => sendToPrimary({ type: "chat:stop", node });
  const chat = createChat({ ...settings, ...opened, pageDir, split, ...(isInCluster && { stopNode }) });
  chat.sessions.on("error", ({ code, message }) => console.error(code, message)); // their causes may name ids
  chat.sessions.on("refuse", ({ code, address }) => {
    if (code === "SESSION_REQUIRED") return; // a guest's page has asked for a ticket
    console.warn("A client was refused:", code, address);
  });
  const close = async () => {
    await chat.close();
    await openedAdapter.close();
    await openedStore.close();
    if (isInCluster && process.connected) process.disconnect(); // the channel keeps a worker alive
  };
  closeOnSignals(close);

  const allNotes = [...notes, openedAdapter.note];
  if (isInCluster) {
    chat.joinCluster(); // first: as soon as it is ready, the primary hands over connections
    process.on("message", (received) => {
      const message = readClusterMessage(received);
      if (message?.type === "chat:story") chat.tell(message.words);
    });
    sendToPrimary({ type: "chat:ready", notes: allNotes });
    return;
  }
  try {
    const address = `http://localhost:${await chat.listen(port)}`;
    console.log(`Chat: ${address}${split ? `, its sockets at ${split.sockets}` : ""}`);
  } catch (error) {
    await close();
    throw inWords(error, port);
  }
  for (const note of allNotes) console.log(note);
}

/** Two names of this machine, so two sites to a browser: it sends the cookie of one to no other. */
function splitAt(port: number): Split {
  return { page: `http://localhost:${port}`, sockets: `http://127.0.0.1:${port + 1}` };
}

/** How long leftovers of a driver or adapter may keep the process alive after everything is closed. */
const lingerMs = 3_000;

/** The first signal closes everything in order; a second one ends the process at once. */
function closeOnSignals(close: () => Promise<void>): void {
  const stop = async () => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    try {
      await close();
    } catch (error) {
      console.error(error instanceof Error ? error.stack : error);
      process.exitCode = 1;
    }
    setTimeout(() => process.exit(), lingerMs).unref();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
}

export function inWords(error: unknown, port: number): unknown {
  const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  if (!isTaken) return error;
  const taken = "port" in error ? Number(error.port) : port;
  return new Error(`Port ${taken} is taken. Choose another: PORT=${taken + 1} npm start`);
}
