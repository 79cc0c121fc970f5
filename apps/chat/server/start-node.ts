import cluster from "node:cluster";
import { createChat } from "./create-chat.ts";
import { readEnvironment } from "./environment.ts";
import { openAdapter } from "./open-adapter.ts";
import { openStore } from "./open-store.ts";
import { tellReady } from "./ready.ts";

/** One node: by itself on its port, or as a worker of the cluster. */
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
    if (isInCluster && process.connected) process.disconnect(); // what keeps a worker alive
  };
  closeOnSignals(close);

  const allNotes = [...notes, openedAdapter.note];
  if (isInCluster) {
    chat.joinCluster(); // first: at the word that it is ready, the primary hands over connections
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

/** What a driver or adapter leaves behind keeps the process for so long at most, once all is closed. */
const lingerMs = 3_000;

/** The first signal closes, in order; whoever is impatient ends the process with a second. */
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
