import cluster from "node:cluster";
import { createChat } from "./create-chat.ts";
import { readEnvironment } from "./environment.ts";
import { openAdapter } from "./open-adapter.ts";
import { openStore } from "./open-store.ts";
import { tellReady } from "./ready.ts";

/** One node: on its own port, or as a worker of the cluster. */
export async function startNode(pageDir: string): Promise<void> {
  const isInCluster = cluster.isWorker;
  const { port, store, adapter, notes, ...settings } = readEnvironment(process.env, { isInCluster });
  const openedStore = await openStore(store);
  const openedAdapter = await openAdapter(adapter, isInCluster).catch(async (error) => {
    await openedStore.store.close();
    await openedStore.close();
    throw error;
  });
  const chat = createChat({ ...settings, pageDir, store: openedStore.store, adapter: openedAdapter.adapter });
  chat.sessions.on("error", ({ code, message }) => console.error(code, message)); // their causes may name ids
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
    tellReady(allNotes);
    return;
  }
  try {
    console.log(`Chat: http://localhost:${await chat.listen(port)}`);
  } catch (error) {
    await close();
    throw inWords(error, port);
  }
  for (const note of allNotes) console.log(note);
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
  return isTaken ? new Error(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`) : error;
}
