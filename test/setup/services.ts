import { describe } from "vitest";
import { findBinary, services } from "../../scripts/services.mjs";

const missing = (process.env.SOCKET_SESSION_MISSING ?? "").split(",");

/**
 * What the environment variable of a service says. The test command has opened it; where Vitest runs by itself, a binary
 * on PATH will do.
 */
function locate(name: string): string | undefined {
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`There is no service "${name}" in scripts/services.mjs.`);
  if (missing.includes(name)) return undefined;
  return process.env[service.variable] || findBinary(service);
}

const chromium = locate("chromium");

/** A `describe` whose tests are skipped, and reported as skipped, where there is no Chromium. */
export const describeWithChromium = describe.skipIf(chromium === undefined);

/** The path of the binary to launch. Throws where there is none, so use it within `describeWithChromium`. */
export function chromiumPath(): string {
  if (chromium === undefined) throw new Error("There is no Chromium here. Set CHROMIUM_PATH to a binary.");
  return chromium;
}
