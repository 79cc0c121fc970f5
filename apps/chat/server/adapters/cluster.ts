import { createAdapter } from "@socket.io/cluster-adapter";
import { noteOf, type OpenAdapter } from "./opened.ts";

/** Connects the workers of one machine, through their primary. */
export function openCluster(why = ""): OpenAdapter {
  return { adapter: createAdapter(), note: noteOf(`cluster${why}`), close: async () => {} };
}
