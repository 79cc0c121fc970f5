/**
 * What a simulated database or driver is asked for and does not know. It ends the run: the product would take an error for
 * a failing database, and go on.
 */
import type { World } from "./world.ts";

export function unsupported(world: World, what: string): Error {
  const error = new Error(`The simulation does not know ${what}.`);
  world.after(0, () => {
    throw error;
  });
  return error;
}
