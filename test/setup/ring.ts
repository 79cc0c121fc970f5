/**
 * Which tests run. Each ring holds the one before: `npm run test:quick` needs no servers, `npm test` needs all, and
 * `npm run test:product` adds what is shown in fewer tests otherwise.
 */
export type Ring = "quick" | "test" | "product";

function isRing(name: string): name is Ring {
  return ["quick", "test", "product"].includes(name);
}

/** The mode of Vitest. */
function readRing(name = "test"): Ring {
  if (!isRing(name)) throw new Error(`Expected the ring quick, test or product, but it is "${name}".`);
  return name;
}

export const ring = readRing(process.env.SOCKET_SESSION_RING);
