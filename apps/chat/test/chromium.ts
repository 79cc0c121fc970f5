import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const args = [
  ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ["--disable-background-networking", "--disable-component-update", "--disable-sync"],
].flat();

/**
 * A headless browser that talks to nobody but the chat; its user data are fresh, and gone when it closes. `binary` is
 * a path or a name on PATH.
 */
export function launchChromium(binary: string): Promise<Browser> {
  const paths = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, binary));
  return chromium.launch({ executablePath: [binary, ...paths].find(existsSync) ?? binary, args });
}
