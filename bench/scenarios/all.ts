import { broadcast } from "./broadcast.ts";
import { handshake } from "./handshake.ts";
import { idle } from "./idle.ts";
import { massEnd } from "./mass-end.ts";
import { memory } from "./memory.ts";
import { message } from "./message.ts";
import { request } from "./request.ts";
import { comeBack } from "./return.ts";
import type { Scenario, Variant } from "./scenario.ts";
import { update } from "./update.ts";

/** Those of the tables of costs come first. */
export const scenarios: readonly Scenario[] = [
  handshake,
  message,
  request,
  broadcast,
  memory,
  update,
  massEnd,
  comeBack,
  idle,
];

export function variantNamed(scenarioName: string, variantName: string): Variant {
  const scenario = scenarios.find(({ name }) => name === scenarioName);
  const variant = scenario?.variants.find(({ name }) => name === variantName);
  if (!variant) throw new Error(`There is no scenario "${scenarioName}, ${variantName}".`);
  return variant;
}
