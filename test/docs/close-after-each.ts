import { afterEach } from "vitest";

interface Closable {
  close(): unknown;
}

/** Gives a function that takes note of what a test opens, and gives it back: all is closed after the test, the last first. */
export function closeAfterEach(): <T extends Closable>(one: T) => T {
  const open: Closable[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });
  return (one) => {
    open.push(one);
    return one;
  };
}
